"""A command line in a folder of its own, whose files are watched."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mfa.cli import app
from tests.system import books


@dataclass(frozen=True)
class Answer:
    """What a command gave back."""

    code: int
    out: str
    err: str


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return content and time of change of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


class Desk:
    """A working folder with commands to run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def book(self, tables: books.Tables, name: str = "book.xlsx") -> Path:
        """Write a workbook."""
        return books.save(tables, self.folder / name)

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Return every file here."""
        return files(self.folder)

    def run(self, *words: object, code: int) -> Answer:
        """Run a command and check its exit code and that it prints no traceback."""
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        answer = Answer(result.exit_code, result.stdout, result.stderr)
        assert answer.code == code, answer
        assert "Traceback" not in answer.out + answer.err
        return answer

    def refused(self, *words: object, code: int) -> Answer:
        """Run a command that must fail, explain itself and leave everything as it was."""
        before = self.files()
        answer = self.run(*words, code=code)
        assert self.files() == before
        assert answer.out == ""
        assert answer.err
        return answer

    def as_json(self, *words: object, code: int) -> dict[str, Any]:
        """Run a command that must fail, and return its answer: one JSON document, nothing else."""
        before = self.files()
        answer = self.run(*words, "--json", code=code)
        assert self.files() == before
        assert answer.err == ""
        data: dict[str, Any] = json.loads(answer.out)
        assert data["exit"] == code
        assert data["outputs"] == []
        return data


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return an empty working folder."""
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


@pytest.fixture
def small(desk: Desk) -> Callable[[], Path]:
    """Return a function that writes the small book."""
    return lambda: desk.book(books.SMALL)
