"""Carry out a command: every outcome becomes an exit code and a message, none a traceback.

0 done · 1 internal error · 2 wrong usage or an output that cannot be written · 3 errors in the
input · 4 only with --strict: the data contradict each other (p < 0.01) · 5 no feasible solution.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mfa
from mfa.cli import console
from mfa.errors import BalanceError, MFAError, Problem, WorkbookError

if TYPE_CHECKING:
    from mfa.balance import Balance
    from mfa.system import System

_STRICT = 0.01


class UsageError(MFAError):
    """The command cannot be carried out as it was given."""


@dataclass(slots=True)
class Outcome:
    """What a command found and made; its exit code follows from it."""

    problems: list[Problem] = field(default_factory=list)
    fit: dict[str, Any] | None = None
    outputs: list[Path] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    code: int = 0


def read(path: Path, outcome: Outcome) -> System:
    """Read a workbook or a folder of CSV files, keeping its warnings."""
    system = mfa.read_tables(path) if path.is_dir() else mfa.read_workbook(path)
    outcome.problems += system.problems
    return system


def reconcile(path: Path, outcome: Outcome, strict: bool, say: Callable[[str], None]) -> Balance:
    """Read and reconcile, keeping what the global test says."""
    say(f"reading {path.name}")
    system = read(path, outcome)
    balance = mfa.reconcile(system, progress=say)
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
        do = f"look first at {first['item']} {first['year']} (z = {first['z']:.2f})"
        sheet, _, cell = str(first["cell"]).partition("!")
        outcome.problems.append(Problem(what, do, None, sheet, cell, path.name, "warning"))
        if strict and not balance.is_approximate:
            outcome.code = 4
    return balance


def check_output(output: Path, source: Path) -> None:
    """Refuse to write over the input."""
    if output.resolve() == source.resolve():
        raise UsageError(f"{output}: would overwrite the input; give another name with -o")


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
        _explain(error, outcome)
    if json:
        found, fit, outputs = outcome.problems, outcome.fit, map(str, outcome.outputs)
        console.out(console.as_json(command, outcome.code, found, fit, outputs))
        return outcome.code
    console.problems(outcome.problems, every_warning=command == "check")
    for line in outcome.lines:
        console.out(line)
    for path in outcome.outputs if outcome.code in (0, 4) else ():
        console.out(str(path))
    return outcome.code


def _explain(error: Exception, outcome: Outcome) -> None:
    """Turn an exception into problems and an exit code."""
    outcome.lines, outcome.outputs = [], []
    if isinstance(error, WorkbookError):
        outcome.problems, outcome.code = list(error.problems), 3
    elif isinstance(error, BalanceError):
        outcome.problems.append(_problem(str(error), error.rows))
        outcome.code = 5
    elif isinstance(error, UsageError):
        outcome.problems.append(_problem(str(error)))
        outcome.code = 2
    elif isinstance(error, PermissionError):
        name = Path(str(error.filename or "")).name
        what, do = f"cannot write {name}", "close it in Excel if it is open there, then try again"
        outcome.problems.append(Problem(what, do, file=name))
        outcome.code = 2
    elif isinstance(error, OSError):
        what, do = f"cannot write: {error.strerror or error}", "check the path and the disk"
        outcome.problems.append(Problem(what, do, file=str(error.filename or "")))
        outcome.code = 2
    elif isinstance(error, MFAError):
        outcome.problems.append(_problem(str(error)))
        outcome.code = 2
    else:
        what = f"internal error: {type(error).__name__}: {error}"
        outcome.problems.append(Problem(what, "run again with --debug and report it"))
        outcome.code = 1


def _problem(text: str, rows: tuple[str, ...] = ()) -> Problem:
    """Split a message at its last semicolon into what is wrong and what to do."""
    what, _, do = text.rpartition("; ") if "; " in text and "\n" not in text else (text, "", "")
    sheet, _, cell = rows[0].partition("!") if rows and "!" in rows[0] else ("", "", "")
    return Problem(what, do or "see above", None, sheet, cell)
