"""A list of problems that grows while tables are read, so that all are reported at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from mfa.errors import Problem, Severity


@dataclass(slots=True)
class Findings:
    """Problems found so far in one file; the only mutable thing on the way to a System."""

    file: str = ""
    problems: list[Problem] = field(default_factory=list)

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
        """All problems in the order of their places: by sheet as first met, row, column."""
        sheets: dict[str, int] = {}
        for problem in self.problems:
            sheets.setdefault(problem.sheet, len(sheets))

        def place(problem: Problem) -> tuple[int, int, str]:
            row = "".join(c for c in problem.cell if c.isdigit())
            return sheets[problem.sheet], int(row or 0), problem.cell

        return tuple(sorted(self.problems, key=place))
