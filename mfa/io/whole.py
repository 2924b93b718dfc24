"""Outputs appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


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
    with TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder:
        draft = Path(folder, path.name)
        yield draft
        draft.replace(path)
