"""Outputs appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_PREFIX = ".mfa-"  # short, as the target's own name may be as long as a name can be


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary file beside a path, which takes its place when all went well.

    Parameters
    ----------
    path : path
        Where the file is to be; its folder is made if it does not exist.

    Yields
    ------
    Path
        Where to write. If the block raises, nothing is left behind.

    Raises
    ------
    PermissionError
        If the file cannot be replaced, as when it is open in Excel.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own beside the target: same disk, and the permissions of a new file.
    with TemporaryDirectory(prefix=_PREFIX, dir=path.parent) as folder:
        draft = Path(folder, path.name)
        yield draft
        draft.replace(path)


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder whose files move into a folder when all went well.

    Files of other names that are already there stay.

    Raises
    ------
    PermissionError
        If one of the files cannot be replaced; then none is.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=_PREFIX, dir=path.parent) as folder:
        draft = Path(folder)
        yield draft
        path.mkdir(exist_ok=True)
        targets = [path / file.name for file in sorted(draft.iterdir())]
        for target in targets:
            if target.exists():
                with target.open("r+b"):  # fails for a file that another program has locked
                    pass
        for target in targets:
            (draft / target.name).replace(target)
