"""Carry out a command: every outcome becomes an exit code and a message, none a traceback.

0 done · 1 internal error · 2 wrong usage or an output that cannot be written · 3 errors in the
input · 4 only with --strict: the data contradict each other (p < 0.01) · 5 no feasible solution.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mfa
from mfa.cli import console
from mfa.cli.outputs import UsageError
from mfa.errors import BalanceError, MFAError, Problem, SystemDefinitionError, WorkbookError

if TYPE_CHECKING:
    from mfa.balance import Balance
    from mfa.balance.survival import Survival
    from mfa.system import System

_STRICT = 0.01
_CELL = re.compile(r"(.+)!([A-Z]+[0-9]+)")


@dataclass(slots=True)
class Outcome:
    """What a command found and made; its exit code follows from it."""

    file: str = ""
    problems: list[Problem] = field(default_factory=list)
    fit: dict[str, Any] | None = None
    outputs: list[Path] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    code: int = 0


def read(path: Path, outcome: Outcome) -> System:
    """Read a workbook or a folder of CSV files, keeping its warnings."""
    outcome.file = path.name
    try:
        system = mfa.read_tables(path) if path.is_dir() else mfa.read_workbook(path)
    except OSError as error:
        what, do = f"cannot be read: {error.strerror or error}", "check that you may read it"
        name = Path(str(error.filename or path)).name
        raise WorkbookError([Problem(what, do, file=name)]) from error
    outcome.problems += system.problems
    return system


def reconcile(
    path: Path,
    outcome: Outcome,
    strict: bool,
    say: Callable[[str], None],
    survival: Survival = "exact",
    cv: float = 0.1,
) -> Balance:
    """Read and reconcile, keeping what the global test says."""
    say(f"reading {path.name}")
    system = read(path, outcome)
    balance = mfa.reconcile(system, progress=say, survival=survival, cv=cv)
    p = balance.p_value
    outcome.fit = {
        "chi2": balance.chi2,
        "dof": balance.dof,
        "p_value": p if balance.dof else None,
        "approximate": balance.is_approximate,
    }
    if balance.dof and p < _STRICT:
        what = (
            f"the data contradict each other: chi2 {balance.chi2:.4g} on {balance.dof} degrees of "
            f"freedom, p = {p:.2g}"
        )
        first = balance.suspects.iloc[0]
        year = balance.suspects["year"].fillna(0).iloc[0] or ""
        name = f"{first['item']} {year}".strip()
        do = f"look first at {name} (z = {first['z']:.2f})"
        sheet, _, cell = str(first["cell"]).partition("!")
        outcome.problems.append(Problem(what, do, None, sheet, cell, path.name, "warning"))
        if strict and not balance.is_approximate:
            outcome.code = 4
    return balance


def carry_out(
    command: str, work: Callable[[Outcome, Callable[[str], None]], None], *, json: bool, debug: bool
) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    command : str
        Its name.
    work : callable
        Does it, given an Outcome to fill and a function that shows progress.
    json : bool
        Whether to answer in JSON.
    debug : bool
        Whether to show tracebacks.
    """
    outcome = Outcome()
    try:
        with console.progress() as say:
            work(outcome, say)
    except Exception as error:
        if debug:
            traceback.print_exc()
        explain(error, outcome)
    if json:
        found, fit, outputs = outcome.problems, outcome.fit, map(str, outcome.outputs)
        console.out(console.as_json(command, outcome.code, found, fit, outputs))
        return outcome.code
    console.problems(outcome.problems, every_warning=command == "check")
    for line in outcome.lines:
        console.out(console.one_line(line))
    for path in outcome.outputs if outcome.code in (0, 4) else ():
        console.out(str(path))
    return outcome.code


def explain(error: Exception, outcome: Outcome) -> None:
    """Turn an exception into problems and an exit code."""
    outcome.lines, outcome.outputs = [], []
    if isinstance(error, (WorkbookError, SystemDefinitionError)):
        outcome.problems, outcome.code = list(error.problems), 3
    elif isinstance(error, BalanceError):
        outcome.problems.append(_clash(error, outcome.file))
        outcome.code = 5
    elif isinstance(error, UsageError):
        outcome.problems.append(error.problem)
        outcome.code = 2
    elif isinstance(error, MFAError):
        what, _, do = str(error).rpartition("; ")
        outcome.problems.append(Problem(what or do, do if what else "see 'mfa --help'"))
        outcome.code = 2
    else:
        what = f"internal error: {type(error).__name__}: {error}"
        outcome.problems.append(Problem(what, "run again with --debug and report it"))
        outcome.code = 1


def _clash(error: BalanceError, file: str) -> Problem:
    """Return what cannot be true together as one problem, at the first of its places."""
    found = next((match for row in error.rows if (match := _CELL.fullmatch(row))), None)
    sheet, cell = found.groups() if found else ("", "")
    text = str(error).removeprefix(f"{sheet}!{cell}: ")
    if "\n" in text:
        head, *rows, do = text.split("\n")
        what = f"{head} {'; '.join(row.removeprefix('- ') for row in rows)}"
    else:
        what, _, do = text.rpartition("; ")
    return Problem(what or do, do if what else "give exact values an sd", None, sheet, cell, file)
