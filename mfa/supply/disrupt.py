"""A supply shock, month by month: who runs short of what, and how long stocks last."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from mfa.balance import Balance
from mfa.errors import MFAError
from mfa.recycling.memory import kept
from mfa.supply import outcome
from mfa.supply.network import Yearly, yearly
from mfa.supply.notes import Note
from mfa.supply.programme import Plan, least_unmet, solve
from mfa.supply.setting import Setting, drawn, setting
from mfa.supply.shock import Shock, ShockLike, read_shock, shocks_of

_NOTHING = 1e-7
_log = logging.getLogger("mfa")
Days = float | Mapping[str, float]


@dataclass(frozen=True, eq=False, repr=False)
class Disruption:
    """What a shock leads to, month by month.

    Attributes
    ----------
    shock : Shock
        What is lost.
    substance, year : str, int
        Of the flows that are taken as usual.
    shortage : DataFrame
        process, substance, month (from 1), demand, supplied, shortage [mass per month], final
        (whether it is counted as unmet demand), unit. Demand is what the process usually has to
        work with in a month, supplied what it has now, from flows and stocks.
    stocks : DataFrame
        process, substance, month (0: before the shock), level, released [mass], unit.
    flows : DataFrame
        flow, from, to, substance, month, usual, value [mass per month], unit.
    endurance : DataFrame
        process, substance, months, days until it first runs short, final; inf where it does not
        as long as the shock lasts.
    first_out : str or None
        The process whose stockpile is empty first.
    summary : DataFrame
        One row: shock, substance, year, months, probability, lost, demand, unmet, sd, low, high
        [mass in all months], unmet_share, unmet_without_stocks, released, put_aside, first_short,
        endurance_months, first_out, stopped_at, unit. Lost counts every flow that is hit, also
        where one feeds another.
    notes : tuple of Note
        What the result rests on; ``assumptions`` in words.
    """

    shock: Shock
    substance: str
    year: int
    shortage: pd.DataFrame
    stocks: pd.DataFrame
    flows: pd.DataFrame
    endurance: pd.DataFrame
    first_out: str | None
    summary: pd.DataFrame
    notes: tuple[Note, ...]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the result rests on, in words."""
        return tuple(map(str, self.notes))

    @property
    def unmet(self) -> float:
        """Unmet demand of all months [mass]."""
        return float(self.summary["unmet"].iloc[0])

    def __repr__(self) -> str:
        row = self.summary.iloc[0]
        short = f"short first: {row['first_short']}" if row["first_short"] else "nothing runs short"
        return (
            f"Disruption {self.shock.name!r} of {self.substance} in {self.year}: "
            f"{row['lost']:.4g} {row['unit']} lost, {row['unmet']:.4g} unmet "
            f"({row['unmet_share']:.1%} of demand), {short}"
        )


def disrupt(
    balance: Balance,
    shock: ShockLike,
    *,
    substance: str | None = None,
    year: int | None = None,
    stockpile_days: Days | None = None,
    draws: int = 50,
    seed: int = 1,
) -> Disruption:
    """Return what a supply shock leads to, month by month.

    The least possible final demand goes unmet, under capacities, with the stocks of the sheet
    ``stockpiles`` and the rules of ``substitutions``. Of all plans with the least unmet demand the
    one is taken in which it comes as late as possible, then the one that cuts deliveries to final
    users most evenly, in proportion to the usual, releases least from stocks, and stays nearest to
    the usual flows. So stocks are emptied before anybody runs short, and users of one market run
    short together.

    Parameters
    ----------
    balance : Balance
    shock : str, mapping or sequence of mappings
        The name of a shock in the workbook; or ``{"country": "Chile", "share": 1.0, "months": 6}``,
        with ``process``, ``stage`` or ``flow`` in place of the country; or several of them at once.
    substance, year : optional
        By default the first substance, and the shock's year or the last one.
    stockpile_days : float or mapping of process to float, optional
        Days of usual intake that are kept on top of the workbook's stockpiles, with no limit on
        what is released in a month: at these processes, or at those that the shock hits first.
    draws : int
        Draws from the uncertainty of the flows, for sd, low and high (∓ 1.96 sd) of the unmet
        demand; 0: none.
    seed : int
        Of the draws.

    Returns
    -------
    Disruption

    Raises
    ------
    MFAError
        If there is no such shock, or what is lost is undetermined: the message says what to
        measure.

    Examples
    --------
    A smelter loses half of its ore for three months and has half a month's ore in stock.

    >>> import mfa, networkx as nx
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_nodes_from([("Chile", {"kind": "import"}), ("Peru", {"kind": "import"}),
    ...                   ("Mills", {"kind": "sink"})])
    >>> _ = G.add_edge("Chile", "Smelter", key="a", value=60.0, sd=1.0)
    >>> _ = G.add_edge("Peru", "Smelter", key="b", value=60.0, sd=1.0)
    >>> _ = G.add_edge("Smelter", "Mills", key="metal")
    >>> balance = mfa.reconcile(mfa.System.from_graph(G))
    >>> loss = {"country": "Chile", "share": 1.0, "months": 3}
    >>> result = mfa.disrupt(balance, loss, stockpile_days=365 / 24)
    >>> result.shortage.query("process == 'Mills'")["shortage"].round(6).tolist()
    [0.0, 5.0, 5.0]
    >>> result.endurance.set_index("process")["months"].round(6).to_dict()
    {'Smelter': 1.0, 'Mills': 1.0}
    """
    found = read_shock(balance.system, shock)
    y = yearly(balance, substance, found.year if year is None else year)
    now = setting(y, found, stockpile_days)
    plan = solve(now.task)
    bare = solve(now.without_stocks) if now.task.stock.any() else plan
    spread = _spread(now, plan, draws, seed)
    return _disruption(found, y, now, plan, bare, spread)


def _spread(now: Setting, plan: Plan, draws: int, seed: int) -> tuple[float, float, float]:
    """Return sd, low and high of the unmet demand, from draws of the flows."""
    if draws <= 1:
        return float("nan"), float("nan"), float("nan")
    sd = float(pd.Series([least_unmet(task) for task in drawn(now, draws, seed)]).std())
    table = outcome.shortage_table(now, plan)
    unmet, most = (float(table.loc[table["final"], name].sum()) for name in ("shortage", "demand"))
    sd = sd if sd > _NOTHING * most else 0.0
    return sd, max(unmet - 1.96 * sd, 0.0), min(unmet + 1.96 * sd, most)


def _disruption(
    shock: Shock,
    y: Yearly,
    now: Setting,
    plan: Plan,
    bare: Plan,
    spread: tuple[float, float, float],
) -> Disruption:
    shortage = outcome.shortage_table(now, plan)
    stocks = outcome.stock_table(now, plan)
    endurance = outcome.endurance_table(shortage, outcome.shortage_table(now, bare))
    first_out = outcome.first_out(stocks)
    summary = outcome.summary_table(shock, now, plan, bare, spread, shortage, endurance, first_out)
    return Disruption(
        shock,
        y.substance,
        y.year,
        shortage,
        stocks,
        outcome.flow_table(now, plan),
        endurance,
        first_out,
        summary,
        now.notes,
    )


@kept
def disruptions(balance: Balance) -> tuple[Disruption, ...]:
    """Return what each shock of the workbook leads to, in the order of the sheet.

    A shock that cannot be worked out, because what is lost is undetermined or not there, is left
    out: `disrupt` says why.
    """
    out = []
    for name in shocks_of(balance.system):
        try:
            out.append(disrupt(balance, name))
        except MFAError as error:
            _log.warning("the shock %r is left out: %s", name, error)
    return tuple(out)
