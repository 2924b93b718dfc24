"""The real program: streams, encodings, colours, and what a broken pipe does."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mfa
from tests.system import books

PROGRAM = [sys.executable, "-m", "mfa"]
HERE = {"PYTHONPATH": str(Path(mfa.__file__).parents[1])}  # the same mfa as is tested here


def run(folder, *words, **variables):
    """Run the program in a folder and return what it printed, as bytes."""
    plain = {
        key: value for key, value in os.environ.items() if not key.startswith(("LC_", "PYTHON"))
    }
    return subprocess.run(
        [*PROGRAM, *words],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
        env=plain | HERE | variables,
    )


def test_help_and_version(tmp_path):
    done = run(tmp_path, "--version")
    assert (done.returncode, done.stdout) == (0, f"mfa {mfa.__version__}\n".encode())
    done = run(tmp_path, "--help", COLUMNS="200")
    assert done.returncode == 0
    text = done.stdout.decode()
    for command in ("check", "balance", "sankey", "report"):
        assert re.search(rf"^ +{command} +[A-Z].*\.$", text, re.MULTILINE)


HOSTILE = {"LC_ALL": "C", "PYTHONIOENCODING": "cp932", "LANG": "C"}


def test_output_is_utf8_whatever_the_console_says(tmp_path):
    book = books.put(books.SMALL, "flows!C2", "製錬🙂é")
    books.save(book, tmp_path / "日本🙂.xlsx")
    done = run(tmp_path, "check", "日本🙂.xlsx", **HOSTILE)
    assert done.returncode == 3
    assert "error: 日本🙂.xlsx, flows!C2: " in done.stderr.decode("utf-8")
    assert "(found '製錬🙂é')" in done.stderr.decode("utf-8")
    done = run(tmp_path, "check", "日本🙂.xlsx", "--json", **HOSTILE)
    assert done.stderr == b""
    assert json.loads(done.stdout.decode("utf-8"))["problems"][0]["found"] == "製錬🙂é"


def test_piped_messages_are_not_wrapped_or_coloured(tmp_path):
    name = "A very long name of a process " * 12
    book = books.put(books.put(books.SMALL, "flows!C2", name), "flows!D3", "Cuu")
    books.save(book, tmp_path / "book.xlsx")
    done = run(tmp_path, "check", "book.xlsx", COLUMNS="40", FORCE_COLOR="1", TERM="xterm-256color")
    text = done.stderr.decode()
    assert "\x1b" not in text
    assert name.strip() in text
    assert all(line.startswith(("error: ", "warning: ")) for line in text.splitlines())


def on_a_terminal(folder, *words, **variables):
    """Run the program with its errors going to a terminal; return what it wrote there."""
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    with subprocess.Popen(
        [*PROGRAM, *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=child,
        env=environment | HERE | {"TERM": "xterm-256color"} | variables,
    ) as process:
        os.close(child)
        out = b""
        with contextlib.suppress(OSError):  # Linux ends a terminal's output like this
            while part := os.read(parent, 65536):
                out += part
        process.wait(timeout=60)
    os.close(parent)
    return out.decode()


def test_colours_on_a_terminal_unless_no_color(tmp_path):
    books.save(books.put(books.SMALL, "flows!D3", "Cuu"), tmp_path / "book.xlsx")
    colour = re.compile(r"\x1b\[[0-9;]*[34][0-9]")
    assert re.search(
        r"\x1b\[31merror:\x1b\[0m book\.xlsx", on_a_terminal(tmp_path, "check", "book.xlsx")
    )
    plain = on_a_terminal(tmp_path, "check", "book.xlsx", NO_COLOR="1")
    assert "error: book.xlsx" in plain
    assert not colour.search(plain)


def test_results_go_to_standard_output_and_messages_to_standard_error(tmp_path):
    book = books.put(books.SMALL, "flows!F2", "１００")
    books.save(book, tmp_path / "book.xlsx")
    done = run(tmp_path, "report", "book.xlsx")
    assert done.returncode == 0
    page = Path(done.stdout.decode().splitlines()[-1])
    assert (tmp_path / page).is_file()
    assert page.name == "report.html"
    assert "warning" not in done.stdout.decode()
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("warning: book.xlsx, flows!F2: ")


def test_a_failed_write_shows_no_traceback(tmp_path):
    books.save(books.SMALL, tmp_path / "book.xlsx")
    (tmp_path / "taken").write_bytes(b"x")
    done = run(tmp_path, "balance", "book.xlsx", "-o", "taken/results.xlsx")
    assert done.returncode == 2
    text = done.stderr.decode()
    assert "Traceback" not in text
    assert len(text.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_shows_no_traceback(tmp_path):
    books.save(books.SMALL, tmp_path / "book.xlsx")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "check", "book.xlsx"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
            env=os.environ | HERE,
        )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: cannot write")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="pipes close otherwise on Windows")
def test_a_closed_pipe_shows_no_traceback(tmp_path):
    books.save(books.SMALL, tmp_path / "book.xlsx")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*PROGRAM, "check", "book.xlsx"],
            cwd=tmp_path,
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
            env=os.environ | HERE,
        )
    finally:
        os.close(writer)
    # Whoever closes a pipe has read enough: no error.
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_without_permission(tmp_path):
    books.save(books.SMALL, tmp_path / "book.xlsx")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = run(tmp_path, "balance", "book.xlsx", "-o", "locked/results.xlsx")
    assert done.returncode == 2
    assert b"locked" in done.stderr
    assert b"Traceback" not in done.stderr
    assert list(locked.iterdir()) == []
