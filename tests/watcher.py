"""`mfa watch` as a process of its own, and a hand that saves as spreadsheet programs do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Tests that run in the background are deaf to Ctrl-C, and so would `mfa` be that they start.
_HEARING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from mfa.cli import main
main()
"""
PATIENCE = 60  # seconds, on a machine with much else to do


@contextmanager
def watching(book: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run ``mfa watch`` and give its address and process; it ends with the block."""
    command = [sys.executable, "-c", _HEARING, "watch", str(book), "--no-browser", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)


def save(book: Path, data: bytes) -> None:
    """Save as Excel and LibreOffice do: a lock beside it, a new file, then a new name for it."""
    lock, draft = book.with_name(f"~${book.name}"), book.with_name("A1B2C3D4")
    lock.write_bytes(b"somebody")
    draft.write_bytes(data)
    draft.replace(book)
    lock.unlink()


def save_in_two(book: Path, data: bytes) -> None:
    """Save as a slow disk does: for a while, half of the file is there."""
    with book.open("wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        os.fsync(file.fileno())
        time.sleep(0.3)
        file.write(data[len(data) // 2 :])
