"""Watch a workbook: every save becomes a new page, a broken one its list of problems.

Each save is copied first, so that nothing is read while it is written. The page comes in two
steps: a draft with everything that is quick, then the whole report, made by a process of its own,
which the next good save stops if it is not done by then.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import mfa
from mfa.cli.run import Outcome, explain, reconcile
from mfa.cli.serve import Shown
from mfa.errors import Problem
from mfa.report.live import Lang, draft, whole

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
    _copies: int = 0
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

    def _is_settled(self, now: Sight) -> bool:
        """Return whether a save is over, and not only the old file put away for the new one."""
        time.sleep(_PAUSE if now else _PATIENCE)
        return sight(self.book) == now

    def _take(self, now: Sight, say: Say) -> Sight | None:
        """Show a save, or what is wrong with it; return what was seen, None to look again."""
        outcome = Outcome(file=self.book.name)
        try:
            copy = self._copy()
            if sight(self.book) != now:
                return None
            balance = reconcile(copy, outcome, False, say)
            say("drawing")
            page, policy = draft(balance, self.lang)
        except Exception as error:
            explain(error, outcome)
            if self._changes_soon(now):
                return None
            self._complain(tuple(outcome.problems))
            return None if isinstance(error, OSError) and now else now
        self._stop()
        self.shown = Shown(self.shown.version + 1, page, policy)
        self.told(())
        self._start(copy)
        return now

    def _copy(self) -> Path:
        """Copy the book to where nobody writes, under its own name."""
        self._copies += 1
        copy = self.desk / str(self._copies) / self.book.name
        copy.parent.mkdir()
        if self.book.is_dir():
            copy.mkdir()
            for part in _parts(self.book):
                shutil.copyfile(part, copy / part.name)
        else:
            shutil.copyfile(self.book, copy)
        return copy

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

    def _start(self, copy: Path) -> None:
        """Let another process make the whole report."""
        context = get_context("spawn")  # a fork would inherit the server
        self._maker = context.Process(target=whole, args=(copy, self.folder, self.lang))
        self._maker.daemon = True
        self._maker.start()

    def _stop(self) -> None:
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
        if maker.exitcode:
            what, do = "the whole report could not be written", "run 'mfa report' to see why"
            self._complain((Problem(what, do, file=self.folder.name, severity="warning"),))
            return
        page, policy = mfa.report.live.served(self.folder)
        self.shown = Shown(self.shown.version + 1, page, policy, self.folder, self.shown.problems)


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
            watch._stop()
