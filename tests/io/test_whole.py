"""Outputs appear whole or not at all, and what stood there before stays until then."""

from __future__ import annotations

import pytest

import mfa
from mfa.io.whole import whole_file, whole_folder
from tests.system import books
from tests.system.leaks import no_leaks


def content(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_a_file_appears_at_the_end(tmp_path):
    path = tmp_path / "new" / "deep" / "out.txt"
    with whole_file(path) as draft:
        draft.write_text("done", encoding="utf-8")
        assert not path.exists()
    assert content(tmp_path) == {"new/deep/out.txt": b"done"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_failure_halfway_leaves_nothing(tmp_path, error):
    path = tmp_path / "out.txt"

    def write():
        with whole_file(path) as draft:
            draft.write_text("half", encoding="utf-8")
            raise error

    with pytest.raises(error):
        write()
    assert list(tmp_path.iterdir()) == []
    path.write_text("old", encoding="utf-8")
    with pytest.raises(error):
        write()
    assert content(tmp_path) == {"out.txt": b"old"}


def test_a_file_that_was_never_written(tmp_path):
    (tmp_path / "out.txt").write_text("old", encoding="utf-8")
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "out.txt"):
        pass
    assert content(tmp_path) == {"out.txt": b"old"}


def test_a_folder_appears_at_the_end_and_other_files_stay(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    (out / "a.txt").write_text("old", encoding="utf-8")
    with whole_folder(out) as draft:
        (draft / "a.txt").write_text("new", encoding="utf-8")
        (draft / "b.txt").write_text("new", encoding="utf-8")
        assert content(out) == {"mine.txt": b"mine", "a.txt": b"old"}
    assert content(tmp_path) == {"out/mine.txt": b"mine", "out/a.txt": b"new", "out/b.txt": b"new"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_halfway_leaves_the_folder_as_it_was(tmp_path, error):
    out = tmp_path / "out"

    def write():
        with whole_folder(out) as draft:
            (draft / "a.txt").write_text("half", encoding="utf-8")
            raise error

    with pytest.raises(error):
        write()
    assert list(tmp_path.iterdir()) == []
    out.mkdir()
    (out / "a.txt").write_text("old", encoding="utf-8")
    with pytest.raises(error):
        write()
    assert content(tmp_path) == {"out/a.txt": b"old"}


def test_one_file_that_cannot_be_replaced_keeps_them_all(tmp_path):
    out = tmp_path / "out"
    (out / "z.txt").mkdir(parents=True)
    (out / "a.txt").write_text("old", encoding="utf-8")

    def write():
        with whole_folder(out) as draft:
            (draft / "a.txt").write_text("new", encoding="utf-8")
            (draft / "z.txt").write_text("new", encoding="utf-8")

    with pytest.raises(OSError, match=r"z\.txt"):
        write()
    assert content(tmp_path) == {"out/a.txt": b"old"}


def test_long_names_are_possible(tmp_path):
    name = "n" * 250 + ".txt"
    with whole_file(tmp_path / name) as draft:
        draft.write_text("x", encoding="utf-8")
    assert content(tmp_path) == {name: b"x"}


@pytest.fixture
def balance():
    return mfa.reconcile(books.read(books.SMALL))


def test_a_workbook_that_fails_halfway(balance, tmp_path, monkeypatch):
    path = tmp_path / "results.xlsx"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("openpyxl.writer.excel.ExcelWriter.save", fail)
    with no_leaks(), pytest.raises(OSError, match="No space"):
        mfa.write_workbook(balance, path)
    assert content(tmp_path) == {"results.xlsx": b"old"}


@pytest.mark.parametrize("stage", ["write_workbook", "render"])
def test_a_report_that_fails_halfway(balance, tmp_path, monkeypatch, stage):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_bytes(b"old")

    def fail(*_, **__):
        raise RuntimeError("halfway")

    monkeypatch.setattr(f"mfa.report.write.{stage}", fail)
    with pytest.raises(RuntimeError, match="halfway"):
        mfa.write_report(balance, out)
    assert content(tmp_path) == {"out/report.html": b"old"}


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".json"])
def test_a_chart_that_fails_halfway(balance, tmp_path, monkeypatch, suffix):
    path = tmp_path / f"chart{suffix}"
    path.write_bytes(b"old")

    def fail(*_, **__):
        raise RuntimeError("halfway")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(RuntimeError, match="halfway"):
        mfa.sankey(balance).save(path)
    assert content(tmp_path) == {f"chart{suffix}": b"old"}


def test_charts_of_an_unknown_kind(balance, tmp_path):
    with pytest.raises(mfa.ChartError, match=r"\.gif"):
        mfa.sankey(balance).save(tmp_path / "chart.gif")
    assert list(tmp_path.iterdir()) == []
