"""Where results go: what must not be overwritten, and what cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mfa.errors import MFAError, Problem


class UsageError(MFAError):
    """The command cannot be carried out as given, or its output cannot be written."""

    def __init__(self, path: Path, what: str, do: str) -> None:
        self.problem = Problem(what, do, file=str(path))
        super().__init__(str(self.problem))


def check_file(path: Path, source: Path, kinds: tuple[str, ...]) -> None:
    """Refuse a file that cannot or must not be written, before anything is worked out."""
    keep_input(source, path)
    if path.suffix.lower() not in kinds:
        *most, last = kinds
        listed = f"{', '.join(most)} or {last}" if most else last
        raise UsageError(path, "no kind of file that this command writes", f"use {listed}")
    if path.is_dir():
        raise UsageError(path, "is a folder", "give the name of a file with -o")
    _check_above(path)


def check_folder(path: Path, source: Path, written: tuple[str, ...]) -> None:
    """Refuse a folder that cannot be written, or in which the input would be overwritten."""
    for target in (path, *(path / name for name in written)):
        keep_input(source, target)
    if path.exists() and not path.is_dir():
        raise UsageError(path, "is a file", "give a folder with -o")
    _check_above(path)


def check_new(path: Path, kinds: tuple[str, ...], force: bool) -> None:
    """Refuse to write over what somebody may have filled in, unless that is wanted.

    The kind "" stands for a folder.
    """
    if path.suffix.lower() not in kinds and not path.is_dir():
        listed = " or ".join(kind or "a folder" for kind in kinds)
        raise UsageError(path, "no kind of file that this command writes", f"use {listed}")
    if path.is_dir() and "" not in kinds:
        raise UsageError(path, "is a folder", "give the name of a file")
    if path.is_file() and not path.suffix:
        raise UsageError(path, "is a file", "give a folder")
    there = any(path.glob("*.csv")) if path.is_dir() else path.exists()
    if there and not force:
        raise UsageError(path, "is there already", "give another name, or replace it with --force")
    _check_above(path)


def keep_input(source: Path, target: Path) -> None:
    """Refuse to write over the input."""
    same = target.resolve() == source.resolve()
    if same or (target.exists() and source.exists() and target.samefile(source)):
        raise UsageError(target, "would overwrite the input", "give another name with -o")


def _check_above(path: Path) -> None:
    """Refuse a path that leads through a file."""
    for folder in path.parents:
        if folder.is_dir():
            return
        if folder.exists():
            raise UsageError(path, f"{folder} is a file, no folder", "give another place with -o")


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what the system refuses while a file or folder is written into words.

    Raises
    ------
    UsageError
        Names the target, or the file in it; never a temporary file that nobody knows.
    """
    try:
        yield
    except OSError as error:
        named = [Path(name) for name in (error.filename2, error.filename) if isinstance(name, str)]
        path = next((name for name in named if name.parent == target), target)
        what, do = f"cannot be written: {error.strerror or error}", "check the path and the disk"
        if isinstance(error, PermissionError):
            do = "check that you may write there"
            if path.is_file():
                do = "close it in Excel if it is open there, or check that you may change it"
        raise UsageError(path, what, do) from error
