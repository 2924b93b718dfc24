"""`mfa watch`: every save is noticed once, a broken one keeps the last good page."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from urllib.error import URLError

import pytest

from mfa.cli.watch import sight
from tests import watcher
from tests.system import books


def get(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode("utf-8")


def state(address):
    return json.loads(get(f"{address}state"))


def wait(address, holds):
    until = time.monotonic() + watcher.PATIENCE
    while time.monotonic() < until:
        now = state(address)
        if holds(now):
            return now
        time.sleep(0.05)
    pytest.fail(f"still {now}")


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C cannot be sent to another process here")
def test_saves_good_broken_and_good_again(tmp_path):
    good = books.save(books.SMALL, tmp_path / "good.xlsx").read_bytes()
    other = books.put(books.SMALL, "flows!F2", 111.5)
    other = books.save(other, tmp_path / "other.xlsx").read_bytes()
    broken = books.put(books.SMALL, "flows!F2", "many")
    broken = books.save(broken, tmp_path / "broken.xlsx").read_bytes()
    book, folder = tmp_path / "desk" / "book.xlsx", tmp_path / "kept"
    book.parent.mkdir()
    book.write_bytes(good)
    with watcher.watching(book, "-o", str(folder)) as (address, process):
        first = wait(address, lambda now: now["version"] >= 2)
        assert first == {"version": 2, "problems": []}
        assert (folder / "report.html").exists()
        assert "connect-src" not in (folder / "report.html").read_text(encoding="utf-8")
        assert "watch.js" not in (folder / "report.html").read_text(encoding="utf-8")
        assert get(f"{address}chart-2018.svg") == (folder / "chart-2018.svg").read_text("utf-8")

        watcher.save(book, broken)
        told = wait(address, lambda now: now["problems"])
        assert told["version"] == 2
        assert "book.xlsx, flows!F2: " in told["problems"][0]["text"]
        page = get(address)
        assert "111.5" not in page

        watcher.save_in_two(book, other)
        healed = wait(address, lambda now: not now["problems"] and now["version"] >= 4)
        assert healed["version"] == 4
        assert "111.5" in get(address)
        (book.parent / "~$book.xlsx").write_bytes(b"lock")
        (book.parent / ".~lock.book.xlsx#").write_bytes(b"lock")

        book.unlink()
        gone = wait(address, lambda now: now["problems"])
        assert gone["version"] == 4  # the locks have made no new page
        assert "book.xlsx" in gone["problems"][0]["text"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=watcher.PATIENCE)
    assert process.returncode == 0
    assert "Traceback" not in out + err
    assert "error: book.xlsx, flows!F2: " in err
    with pytest.raises(URLError):
        state(address)
    assert (folder / "results.xlsx").exists()
    assert sorted(path.name for path in book.parent.iterdir()) == [
        *(".~lock.book.xlsx#", "~$book.xlsx")
    ]


def test_locks_are_no_part_of_a_folder(tmp_path):
    table = tmp_path / "flows.csv"
    table.write_text("flow\n")
    seen = sight(tmp_path)
    for name in ("~$flows.csv", ".~lock.flows.csv#", ".flows.csv", "notes.txt"):
        (tmp_path / name).write_text("x")
    assert sight(tmp_path) == seen != ()
    (tmp_path / "processes.csv").write_text("process\n")
    more = sight(tmp_path)
    assert more != seen
    table.write_text("flow,from\n")
    assert sight(tmp_path) not in (seen, more)


def test_a_file_of_the_same_size_and_time_under_a_new_name_is_a_save(tmp_path):
    book, draft = tmp_path / "book.xlsx", tmp_path / "draft"
    book.write_bytes(b"one")
    seen = sight(book)
    draft.write_bytes(b"two")
    stat = book.stat()
    os.utime(draft, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    draft.replace(book)
    assert sight(book) != seen
    book.unlink()
    assert sight(book) == ()


def test_a_book_that_is_not_there_is_told_at_once(desk):
    answer = desk.refused("watch", "nothing.xlsx", "--no-browser", code=3)
    assert "nothing.xlsx" in answer.err


def test_a_port_that_is_taken_is_told(desk, small):
    book = small()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        answer = desk.refused("watch", book, "--no-browser", "--port", port, code=2)
    assert f"port {port} cannot be used" in answer.err
    assert "--port" in answer.err


def test_a_folder_that_holds_the_book_is_refused(desk, small):
    book = small().rename(desk.folder / "results.xlsx")
    answer = desk.refused("watch", book, "-o", desk.folder, "--no-browser", code=2)
    assert "would overwrite the input" in answer.err
