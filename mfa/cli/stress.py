"""The command ``mfa stress``: supply shocks, month by month."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mfa
from mfa.cli.outputs import UsageError, check_file, writing
from mfa.cli.run import Outcome, reconcile
from mfa.errors import MFAError, Problem

if TYPE_CHECKING:
    import pandas as pd

    from mfa.balance import Balance
    from mfa.supply import Disruption

Say = Callable[[str], None]
TARGETS = ("country", "process", "stage", "flow")


def chosen_shock(
    book: Path, name: str | None, asked: dict[str, str | None], share: float, months: float | None
) -> str | dict[str, Any] | None:
    """Return the shock that the options ask for; None: every one of the workbook."""
    given = {target: item for target, item in asked.items() if item is not None}
    if name is not None and given:
        what = f"--shock and --{next(iter(given))} are both given"
        raise UsageError(book, what, "name a shock of the workbook, or what is lost")
    if len(given) > 1:
        options = " and ".join(f"--{target}" for target in given)
        raise UsageError(book, f"{options} are both given", "name one thing that is lost")
    if name is not None or not given:
        return name
    if months is None:
        raise UsageError(book, "the shock does not say how long it lasts", "add --months")
    return {**given, "share": share, "months": months}


def stress(
    book: Path,
    shock: str | dict[str, Any] | None,
    output: Path | None,
    options: dict[str, Any],
    strict: bool,
    outcome: Outcome,
    say: Say,
) -> None:
    """Work out shocks, note what they lead to, and write the results workbook if asked for."""
    if output is not None:
        check_file(output, book, (".xlsx",))
    balance = reconcile(book, outcome, strict, say)
    found = _disruptions(book, balance, shock, options, outcome, say)
    for one in found:
        outcome.lines += lines_of(one)
    for note in dict.fromkeys(note for one in found for note in one.assumptions):
        outcome.lines.append(f"assumed: {note}")
    outcome.results = [result_of(one) for one in found]
    if output is not None:
        say(f"writing {output.name}")
        with writing(output):
            mfa.write_workbook(balance, output, disruptions=found)
        outcome.outputs.append(output)


def _disruptions(
    book: Path,
    balance: Balance,
    shock: str | dict[str, Any] | None,
    options: dict[str, Any],
    outcome: Outcome,
    say: Say,
) -> list[Disruption]:
    """Return what the shock asked for leads to, or each of the workbook that can be worked out."""
    from mfa.supply.shock import shocks_of  # late: it takes long to load

    names = shocks_of(balance.system) if shock is None else [shock]
    if not names:
        do = "fill in the sheet 'shocks', or name one with --country, --process, --stage or --flow"
        raise UsageError(book, "the workbook has no shocks", do)
    found = []
    for one in names:
        say(f"shock: {one}" if isinstance(one, str) else "working out the shock")
        try:
            found.append(mfa.disrupt(balance, one, **options))
        except MFAError as error:
            if shock is not None:
                raise
            what, _, do = str(error).rpartition("; ")
            what = f"the shock {one!r} is left out: {what}"
            outcome.problems.append(Problem(what, do, None, "shocks", "", book.name, "warning"))
    return found


def lines_of(found: Disruption) -> list[str]:
    """Return what the command line prints of a shock."""
    row = found.summary.iloc[0]
    unit = row["unit"]
    spread = f" ± {row['sd']:.3g}" if row["sd"] > 0 else ""
    name = f"{found.shock.name}: {found.substance} {found.year}, {row['months']:g} months"
    unmet = f"{row['unmet']:.4g}{spread} {unit} of demand unmet ({row['unmet_share']:.1%})"
    lines = [f"{name}: {row['lost']:.4g} {unit} lost, {unmet}"]
    if row["first_short"]:
        lines.append(
            f"  first short: {row['first_short']} after {row['endurance_months']:.3g} months"
        )
    else:
        lines.append("  nothing runs short as long as it lasts")
    short = found.shortage[found.shortage["final"]].groupby("process", sort=False)["shortage"]
    for process, series in short:
        if series.sum() > 0:
            months = ", ".join(f"{value:.3g}" for value in series)
            lines.append(f"  short at {process} by month [{unit}]: {months}")
    for process, rows in found.stocks.groupby("process", sort=False):
        levels = ", ".join(f"{level:.4g}" for level in rows["level"])
        lines.append(f"  stock at {process} [{unit}]: {levels}")
    if found.first_out:
        lines.append(f"  empty first: {found.first_out}")
    return lines


def result_of(found: Disruption) -> dict[str, Any]:
    """Return a shock for machines: what there is no number for is null."""
    return {
        **_records(found.summary)[0],
        "shortage": _records(found.shortage),
        "stocks": _records(found.stocks),
        "endurance": _records(found.endurance),
        "assumptions": list(found.assumptions),
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.astype(object).to_dict("records")
    return [{str(name): _plain(cell) for name, cell in row.items()} for row in rows]


def _plain(cell: object) -> object:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell.item() if hasattr(cell, "item") else cell
