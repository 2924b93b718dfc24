"""``mfa project``: stocks and flows into the future."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mfa.cli.outputs import check_folder, writing
from mfa.cli.run import Outcome, reconcile
from mfa.errors import MFAError
from mfa.report.projection import last_year, write_projections
from mfa.report.words import Lang
from mfa.scenarios import Projection, project, scenario_names

Say = Callable[[str], None]
_MOST = 5


def run_project(
    book: Path,
    scenarios: list[str],
    until: int | None,
    folder: Path,
    substance: str | None,
    lang: Lang,
    strict: bool,
    outcome: Outcome,
    say: Say,
) -> None:
    """Project the scenarios of a workbook and write what came of them into a folder."""
    check_folder(folder, book, ("results.xlsx",))
    balance = reconcile(book, outcome, strict, say)
    system = balance.system
    known = (*system.layers,)
    if substance is not None and substance not in known:
        raise MFAError(f"no substance is called {substance!r}; there are {', '.join(known)}")
    names = scenarios or scenario_names(system)
    if not names:
        raise MFAError("the workbook has no scenarios; fill in the sheet 'scenarios'")
    last = until or last_year(system)
    done: dict[str, Projection] = {}
    for name in dict.fromkeys(names):
        say(f"projecting {name}")
        done[name] = project(balance, name, last)
    say("writing")
    with writing(folder):
        outcome.outputs += write_projections(done, folder, substance, lang)
    for name, one in done.items():
        outcome.lines += _lines(name, one, substance or system.substances[0])


def _lines(name: str, projection: Projection, substance: str) -> list[str]:
    """Return the summary of one scenario."""
    first, last = projection.years[0], projection.years[-1]
    unit = projection.system.unit
    table = projection.supply
    table = table[table["substance"] == substance]
    supply = table.set_index(["kind", "year"])["value"].to_dict()
    uses = projection.end_uses
    entered = uses[uses["substance"] == substance].groupby("year")["inflow"].sum().to_dict()
    lines = [f"{name}: {first}–{last}, {substance}"]
    shown = {
        "into use": [entered.get(year, 0.0) for year in (first, last)],
        "from mines and imports": [supply.get(("primary", year), 0.0) for year in (first, last)],
        "scrap to makers": [supply.get(("scrap", year), 0.0) for year in (first, last)],
    }
    for what, (before, after) in shown.items():
        if before or after:
            lines.append(f"  {what}: {before:,.4g} → {after:,.4g} {unit}")
    worst = projection.unmet.sort_values("value", ascending=False, kind="stable")
    for row in worst.head(_MOST).to_dict("records"):
        item = f"{row['flow']} at {row['process']}" if row["flow"] else row["process"]
        lines.append(
            f"  not met: {item}, {row['substance']}, {row['year']}: {row['value']:.4g} {unit} "
            f"({row['reason']})"
        )
    if len(worst) > _MOST:
        lines.append(f"  not met: {len(worst) - _MOST} more rows, see the results workbook")
    assumed = int((projection.assumptions["kind"] == "base year").sum())
    if assumed:
        lines.append(f"  {assumed} undetermined numbers of {first} were taken within their ranges")
    return lines
