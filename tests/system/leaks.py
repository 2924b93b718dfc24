"""Exceptions that Python prints when something is thrown away unfinished."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_leaks() -> Iterator[None]:
    """Fail if anything made in the block raises when it is thrown away.

    The user would see it as a traceback on standard error, whatever the exit code.
    """
    seen: list[str] = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda args: seen.append(str(args.exc_value))
    try:
        yield
    finally:
        gc.collect()
        sys.unraisablehook = hook
    assert not seen, f"{len(seen)} exceptions ignored, the first: {seen[0]}"
