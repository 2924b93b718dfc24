"""Watch a workbook: every save becomes a new page, a broken one its list of problems.

Each save is copied first, so that nothing is read while it is written. The page comes in two
steps: a draft with everything that is quick, then the whole report, made by a process of its own,
which the next good save stops if it is not done by then.
"""

from __future__ import annotations

import shutil
import signal
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html import escape
from itertools import count
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import mfa
from mfa.balance import Balance
from mfa.cli import console
from mfa.cli.run import Outcome, explain, read, reconcile
from mfa.cli.serve import Shown, serving
from mfa.errors import Problem, WorkbookError
from mfa.report.document import edition, render, served
from mfa.report.words import Lang, words

_PAUSE = 0.08  # seconds between two looks at the file
_PATIENCE = 0.5  # seconds in which a save that cannot be used may turn out to be half of one
_LOCKS = ("~$", ".~lock.", ".")

Sight = tuple[tuple[str, int, int, int], ...]
Say = Callable[[str], None]


def sight(book: Path) -> Sight:
    """Return what changes when a workbook, or a table in a folder, is saved; () if it is gone."""
    try:
        seen = [(path.name, path.stat()) for path in _parts(book)]
    except OSError:
        return ()
    return tuple((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in seen)


def _parts(book: Path) -> list[Path]:
    """Return the files that a book consists of; what a program locks it with is none of them."""
    if not book.is_dir():
        return [book]
    tables = (path for path in book.iterdir() if path.suffix.lower() == ".csv")
    return sorted(path for path in tables if not path.name.startswith(_LOCKS))


@dataclass(slots=True)
class Watch:
    """A workbook under watch, what is shown of it, and the process that works on it.

    Attributes
    ----------
    book : Path
    lang : {"en", "ja"}
        Language that the page opens in.
    desk : Path
        Folder for copies and drafts.
    folder : Path
        Where the whole report goes.
    told : callable
        Called with the problems of each save, none if it is good.
    shown : Shown
        What a browser is to show now.
    """

    book: Path
    lang: Lang
    desk: Path
    folder: Path
    told: Callable[[tuple[Problem, ...]], None]
    shown: Shown = field(default_factory=Shown)
    _numbers: Iterator[int] = field(default_factory=count)
    _maker: BaseProcess | None = None

    def follow(self, say: Say) -> None:
        """Look at the file until somebody interrupts."""
        known: Sight | None = None
        while True:
            now = sight(self.book)
            if now != known and self._is_settled(now):
                known = self._take(now, say)
                say(f"watching {self.book.name}; Ctrl-C ends")
            self._collect()
            time.sleep(_PAUSE)

    def close(self) -> None:
        """End what is still at work."""
        self._end_maker()

    def _is_settled(self, now: Sight) -> bool:
        """Return whether a save is over, and not only the old file put away for the new one."""
        time.sleep(_PAUSE if now else _PATIENCE)
        return sight(self.book) == now

    def _take(self, now: Sight, say: Say) -> Sight | None:
        """Show a save, or what is wrong with it; return what was seen, None to look again."""
        outcome = Outcome()
        copy = self.desk / str(next(self._numbers)) / self.book.name
        try:
            _copy(self.book, copy)
            if sight(self.book) != now:
                return None
            page, policy = _draft(reconcile(copy, outcome, False, say), self.lang, say)
        except Exception as error:
            explain(error, outcome)
            if not self._changes_soon(now):
                self._complain(tuple(outcome.problems))
                return None if isinstance(error, CopyError) and now else now
            return None
        self._end_maker()
        self.shown = Shown(self.shown.version + 1, page, policy)
        self.told(())
        self._begin_maker(copy)
        return now

    def _changes_soon(self, now: Sight) -> bool:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if sight(self.book) != now:
                return True
            time.sleep(_PAUSE)
        return False

    def _complain(self, problems: tuple[Problem, ...]) -> None:
        if problems != self.shown.problems:
            self.shown = replace(self.shown, problems=problems)
            self.told(problems)

    def _begin_maker(self, copy: Path) -> None:
        """Let another process make the whole report."""
        context = get_context("spawn")  # a fork would inherit the server
        self._maker = context.Process(target=_make, args=(copy, self.folder, self.lang))
        self._maker.daemon = True
        # Ctrl-C goes to every process of a terminal; this one is ended by the first.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._maker.start()
        finally:
            signal.signal(signal.SIGINT, before)

    def _end_maker(self) -> None:
        if self._maker is not None:
            self._maker.terminate()
            self._maker.join()
            self._maker = None

    def _collect(self) -> None:
        """Show the whole report once it is made."""
        maker = self._maker
        if maker is None or maker.is_alive():
            return
        self._maker = None
        problems = self.shown.problems
        if maker.exitcode:
            do = "close its files if they are open elsewhere, or run 'mfa report' to see why"
            what = "the whole report could not be written; this page lacks what takes long"
            self._complain((*problems, Problem(what, do, file=str(self.folder))))
            return
        page, policy = served((self.folder / "report.html").read_text(encoding="utf-8"))
        self.shown = Shown(self.shown.version + 1, page, policy, self.folder, problems)


class CopyError(WorkbookError):
    """The file cannot be read at all; it may be locked for a moment."""


def _copy(book: Path, copy: Path) -> None:
    """Copy a book to where nobody writes; the name stays, as the report tells it."""
    try:
        copy.parent.mkdir()
        if book.is_dir():
            copy.mkdir()
            for part in _parts(book):
                shutil.copyfile(part, copy / part.name)
        else:
            shutil.copyfile(book, copy)
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        do = "check that it is there and that you may read it"
        raise CopyError([Problem(what, do, file=book.name)]) from error


def _draft(balance: Balance, lang: Lang, say: Say) -> tuple[str, str]:
    """Return page and policy without what takes long."""
    say("drawing")
    return served(render((edition(balance, lang),), draft=True))


def _make(book: Path, folder: Path, lang: Lang) -> None:
    """Write the whole report; the process fails without a word, the exit code says it."""
    try:
        mfa.write_report(mfa.reconcile(read(book, Outcome())), folder, lang=lang)
    except Exception:
        raise SystemExit(1) from None


@contextmanager
def watching(
    book: Path,
    lang: Lang,
    output: Path | None,
    told: Callable[[tuple[Problem, ...]], None],
) -> Iterator[Watch]:
    """Give a Watch with a desk, which is cleared in the end; without an output the report, too."""
    with TemporaryDirectory(prefix="mfa-watch-", ignore_cleanup_errors=True) as desk:
        watch = Watch(book, lang, Path(desk), output or Path(desk, "report"), told)
        try:
            yield watch
        finally:
            watch.close()


def show(
    book: Path, lang: Lang, output: Path | None, port: int, in_browser: bool, say: Say
) -> None:
    """Serve the report of a book until somebody presses Ctrl-C.

    Parameters
    ----------
    book : Path
    lang : {"en", "ja"}
    output : Path or None
        Folder that keeps the whole report.
    port : int
        0 takes any that is free.
    in_browser : bool
        Whether to open a browser.
    say : callable
        Shows progress.
    """
    if not book.exists():
        read(book, Outcome())  # says so
    with watching(book, lang, output, console.problems) as watch:
        try:
            with serving(port, lambda: watch.shown, _blank(book.name, lang)) as address:
                console.out(address)
                if in_browser:
                    webbrowser.open(address)
                watch.follow(say)
        except KeyboardInterrupt:
            say("ending")


def _blank(name: str, lang: Lang) -> str:
    """Return the page until there is a first one."""
    head = f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>mfa</title>'
    text = escape(words(lang)["reading"].format(name=name))
    return f'{head}<link rel="icon" href="data:,"></head>\n<body>\n<p>{text}</p>\n</body></html>\n'
