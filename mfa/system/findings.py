"""A list of problems that grows while tables are read, so that all are reported at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from mfa.errors import Problem, Severity
from mfa.schema import SHEETS


@dataclass(slots=True)
class Findings:
    """Problems found so far in one file; the only mutable thing on the way to a System.

    Parameters
    ----------
    file : str
        The file's name.
    problems : list of Problem
        In the order in which they were found.
    unknown : set of str
        What could not be read at all and is reported: sheets by name, ``substances``. Nothing is
        compared with these, or each cell that names a part of them would look wrong, too.
    """

    file: str = ""
    problems: list[Problem] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)

    def error(self, what: str, do: str, found: object = None, place: str = "") -> None:
        """Note an error at a place written ``sheet!cell``."""
        self._note("error", what, do, found, place)

    def warning(self, what: str, do: str, found: object = None, place: str = "") -> None:
        """Note a warning at a place written ``sheet!cell``."""
        self._note("warning", what, do, found, place)

    def _note(self, severity: Severity, what: str, do: str, found: object, place: str) -> None:
        sheet, _, cell = place.partition("!")
        text = None if found is None else str(found)
        self.problems.append(Problem(what, do, text, sheet, cell, self.file, severity))

    @property
    def failed(self) -> bool:
        """Whether any problem is an error."""
        return any(problem.severity == "error" for problem in self.problems)

    def sorted(self) -> tuple[Problem, ...]:
        """All problems in the order of their places: by the format's sheets, row, column."""
        sheets = {name: i for i, name in enumerate(("", *(sheet.name for sheet in SHEETS)))}
        for problem in self.problems:
            sheets.setdefault(problem.sheet, len(sheets))

        def place(problem: Problem) -> tuple[int, int, int, str]:
            letters = problem.cell.rstrip("0123456789")
            row = int(problem.cell[len(letters) :] or 0)
            return sheets[problem.sheet], row, len(letters), letters

        return tuple(sorted(self.problems, key=place))
