"""What is worth knowing about a system before it is reconciled."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mfa.balance.axes import axes_of, goods_left_out
from mfa.balance.compile import compile_system
from mfa.balance.shares import spoken_of
from mfa.balance.survival import unbound_rows
from mfa.errors import BalanceError, Problem
from mfa.system import System

_MOST = 20


def remarks(system: System) -> tuple[Problem, ...]:
    """Return problems that only show when the balances are drawn up.

    Parameters
    ----------
    system : System

    Returns
    -------
    tuple of Problem
        Warnings: goods balances that are left out, years that flows skip, stock rows and
        lifetimes that no balance reaches. An error if the system cannot be reconciled as it is
        written.
    """
    if system.flows.empty:
        return ()
    file = system.source.name if system.source else ""
    found = [*_left_out(system), *_gap_years(system), *_idle_stocks(system)]
    found += [*_shares_of_nothing(system), *_idle_lifetimes(system)]
    try:
        compile_system(system)
    except BalanceError as error:
        place = (error.rows or ("",))[0]
        sheet, _, cell = place.partition("!")
        what = str(error).removeprefix(f"{place}: ")
        found.append(Problem(what, "see the message", None, sheet, cell, file, "error"))
    return tuple(Problem(p.what, p.do, p.found, p.sheet, p.cell, file, p.severity) for p in found)


def _left_out(system: System) -> list[Problem]:
    pairs = goods_left_out(system)
    by_process: dict[str, list[int]] = {}
    for process, year in pairs:
        by_process.setdefault(process, []).append(year)
    out = [
        _warning(
            f"no balance of goods at {process!r} in {', '.join(map(str, years))}: not every flow "
            "there has a row for goods",
            "add rows for goods with a blank value",
            "flows",
        )
        for process, years in list(by_process.items())[:_MOST]
    ]
    if len(by_process) > _MOST:
        more = len(by_process) - _MOST
        out.append(_warning(f"no balance of goods at {more} more processes", "see above", "flows"))
    return out


def _gap_years(system: System) -> list[Problem]:
    gaps = [
        f"{before + 1}–{after - 1}" if after - before > 2 else f"{before + 1}"
        for before, after in pairwise(system.years)
        if after - before > 1
    ]
    if not gaps or not system.processes["stock"].any():
        return []
    what = (
        f"no flow has a row for {', '.join(gaps)}: for stocks, the rate of the next year is taken "
        "to hold in the years skipped"
    )
    return [_warning(what, "add rows with blank values for those years if that is wrong", "flows")]


def _idle_stocks(system: System) -> list[Problem]:
    first, last = system.years[0] - 1, system.years[-1]
    stocks = system.stocks
    level = (stocks["quantity"] == "level").to_numpy()
    year = stocks["year"].to_numpy()
    idle = np.where(level, (year < first) | (year > last), ~np.isin(year, system.years))
    return [
        _warning(
            f"the {quantity} of {process!r} in {when} stands outside the years of the flows and is "
            "in no balance",
            f"flows have rows for {first + 1} to {last}, levels count from {first} on",
            *place.split("!"),
        )
        for process, quantity, when, place in stocks.loc[
            idle, ["process", "quantity", "year", "cell"]
        ].itertuples(index=False)
    ]


def _shares_of_nothing(system: System) -> list[Problem]:
    """Warn of coefficients that are a share of nothing, or of goods that are not all weighed."""
    axes = axes_of(system)
    when: dict[tuple[int, str, str, bool], list[int]] = {}
    for one in spoken_of(system, axes):
        if not one.whole or not one.of:
            flow = str(system.data["flow"].iat[one.flow])
            key = (one.share, flow, str(axes.layers[one.layer]), one.whole)
            when.setdefault(key, []).append(int(axes.years[one.year]))
    out = []
    for (share, flow, layer, whole), years in when.items():
        row = system.coefficients.iloc[share]
        listed = ", ".join(map(str, years))
        of = f"the {row['of']} of {flow!r}" if row["of"] in ("inputs", "outputs") else row["of"]
        what = f"coefficient {row['coefficient']!r}: there is no {layer} in {of} in {listed}, so "
        what += f"that {flow!r} can only be 0"
        if not whole:
            what = f"coefficient {row['coefficient']!r} says nothing of goods in {flow!r} in "
            what += f"{listed}: not all of {of} has a row for goods"
        do = "add the rows that are missing, or name the substance that the coefficient is for"
        out.append(_warning(what, do, *str(row["cell"]).split("!")))
    return out


def _idle_lifetimes(system: System) -> list[Problem]:
    """Warn of lifetimes of stocks that are not balanced in every year."""
    return [
        _warning(
            f"the lifetime of {substance} in {process!r} says nothing: there is no balance of "
            f"{substance} there in every year",
            "add rows to the sheet 'flows', with blank values, or remove the lifetime",
            *cell.split("!"),
        )
        for process, substance, cell in unbound_rows(system, axes_of(system))
    ]


def _warning(what: str, do: str, sheet: str, cell: str = "") -> Problem:
    return Problem(what, do, None, sheet, cell, "", "warning")
