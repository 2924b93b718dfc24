"""Exceptions, and the record that describes one problem in a user's data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Severity = Literal["error", "warning"]


class MFAError(Exception):
    """Base of every exception that mfa raises on purpose."""


class UnitError(MFAError):
    """A unit is unknown, or measures something else than what is asked for."""


class StockError(MFAError):
    """A lifetime or a cohort calculation is impossible as given."""


class ChartError(MFAError):
    """A chart cannot be drawn, or not in the kind of file asked for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a user's data: what, where, what was found, what to do.

    Parameters
    ----------
    what : str
        What is wrong, naming process, flow, substance and year where they matter.
    do : str
        What the user can do about it.
    found : str or None
        What was found there, as the user wrote it; None where nothing can be quoted.
    sheet, cell : str
        Place in the workbook, e.g. ``"flows"`` and ``"G12"``; empty where there is none.
    file : str
        The file's name; empty for data that did not come from a file.
    severity : {"error", "warning"}
        An error stops the calculation, a warning travels on with the system.

    Examples
    --------
    >>> print(Problem("'Smeltr' is no process", "did you mean 'Smelter'?", "Smeltr",
    ...               "flows", "C5", "copper.xlsx"))
    copper.xlsx, flows!C5: 'Smeltr' is no process (found 'Smeltr'); did you mean 'Smelter'?
    """

    what: str
    do: str
    found: str | None = None
    sheet: str = ""
    cell: str = ""
    file: str = ""
    severity: Severity = "error"

    @property
    def place(self) -> str:
        """The place as ``file, sheet!cell``, leaving out what is not known."""
        inside = f"{self.sheet}!{self.cell}" if self.cell else self.sheet
        return ", ".join(part for part in (self.file, inside) if part)

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        found = "" if self.found is None else f" (found {self.found!r})"
        return f"{place}{self.what}{found}; {self.do}"


class _ProblemsError(MFAError):
    """An exception that lists every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        errors = [problem for problem in self.problems if problem.severity == "error"]
        noun = "problem" if len(errors) == 1 else "problems"
        lines = [f"{len(errors)} {noun}:", *(f"- {problem}" for problem in errors)]
        super().__init__("\n".join(lines))


class WorkbookError(_ProblemsError):
    """A workbook or table folder cannot be used; ``problems`` lists every bad cell."""


class SystemDefinitionError(_ProblemsError):
    """Tables or a graph do not define a system; ``problems`` lists every fault."""


class BalanceError(MFAError):
    """No values can close the system; ``rows`` names the smallest set of rows that clash.

    Parameters
    ----------
    message : str
        What clashes and what to do about it.
    rows : sequence of str
        Places (``sheet!cell``, or the item's name) of the rows that together are impossible.
    """

    def __init__(self, message: str, rows: Iterable[str] = ()) -> None:
        self.rows: tuple[str, ...] = tuple(rows)
        super().__init__(message)


def near(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return a sentence that offers the known names closest to a misspelt one.

    Examples
    --------
    >>> near("Smeltr", ["Smelter", "Mill"], "add it to the sheet 'processes'")
    "did you mean 'Smelter'?"
    >>> near("xyz", ["Smelter"], "add it to the sheet 'processes'")
    "add it to the sheet 'processes'"
    """
    folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), folded, n=2, cutoff=0.6)
    if not close:
        return otherwise
    return "did you mean " + " or ".join(f"'{folded[name]}'" for name in close) + "?"
