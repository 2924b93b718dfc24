"""What each row of the sheet measures would bring, and the best order to take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.network import Floats, Ints
from mfa.errors import MFAError, near
from mfa.recycling.capacity import capacity_gain
from mfa.recycling.closure import BYPRODUCT, CLOSING, DRAWN, FIXED, Closure, closure
from mfa.recycling.corners import corners
from mfa.recycling.formula import Formula, formulas
from mfa.recycling.indicators import DEFINITIONS
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places

COLUMNS = {
    "measure": "str",
    "item": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "indicator": "str",
    "now": "float64",
    "target": "float64",
    "order": "float64",
    "cumulative": "float64",
    "cumulative_low": "float64",
    "cumulative_high": "float64",
    "cost": "float64",
    "gain_per_cost": "float64",
    "flow_gain": "float64",
    "kind": "str",
    "problem": "str",
    "reference": "str",
}
_FEASIBLE = -1e-9
_SAME = 1e-9


@dataclass(frozen=True)
class _Change:
    """What a measure does to the flows at one place: each flow and what it is to be a part of.

    ``factor`` multiplies what the flow is now; ``target`` is what it is to be instead, where
    ``of`` names what it is counted in (flows; none: mass).
    """

    flows: Ints
    of: Ints
    target: float
    now: float


def measures(
    balance: Balance,
    indicator: str = "eol_recycling_rate",
    substance: str | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Return what each measure would bring alone, and the best order to take them.

    Each measure sets its coefficient or flow to its target under the closure of `gains`; flows and
    the indicator are worked out anew, not extrapolated. The order is greedy: at each step the
    measure that brings most on top of those taken before, per cost where every measure has one.
    ``cumulative`` is the gain of all up to and with this one (a range where undetermined). A
    measure that brings nothing on top, that sets what one before it has set, or that leaves no
    possible flows, as one that would need imports below 0, is not taken, and ``problem`` says so.

    Where flows are undetermined, gains are ranges over corners of what is possible, and the order
    is that for their mean.

    A capacity as the item raises no flow by itself: ``flow_gain`` is what it would add to the
    largest possible flow from end of life back to metal, see `capacity`.

    Parameters
    ----------
    balance : Balance
    indicator : str
        Id of an indicator.
    substance, year : optional
        By default the first substance and the last year.

    Returns
    -------
    DataFrame
        measure, item, substance, year; value, low, high (what it would add to the indicator,
        alone; ranges where undetermined); indicator; now and target of the item; order,
        cumulative, cumulative_low, cumulative_high; cost and gain_per_cost, in the user's unit of
        cost; flow_gain [unit of the system]; kind; problem.

    Raises
    ------
    MFAError
        If there is no such indicator, substance or year.

    Examples
    --------
    >>> import pandas as pd
    >>> import mfa
    >>> tables = {
    ...     "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
    ...     "processes": pd.DataFrame({"process": ["Use", "Yard", "Market", "Dump"],
    ...                                "kind": ["source", None, "export", "sink"],
    ...                                "stage": ["use", "collection", None, None]}),
    ...     "flows": pd.DataFrame({"flow": ["old", "scrap", "burnt"],
    ...                            "from": ["Use", "Yard", "Yard"],
    ...                            "to": ["Yard", "Market", "Dump"],
    ...                            "role": ["end_of_life", "old_scrap", "loss"],
    ...                            "year": 2018, "value": [40.0, 30.0, None],
    ...                            "sd": [2.0, 1.0, None]}),
    ...     "measures": pd.DataFrame({"measure": ["Burn less"], "item": ["burnt"],
    ...                               "target": [4.0]}),
    ... }
    >>> balance = mfa.reconcile(mfa.System.from_tables(tables))
    >>> table = mfa.measures(balance)
    >>> round(float(table["value"].iat[0]), 3)
    0.15
    """
    known = [one.key for one in DEFINITIONS]
    if indicator not in known:
        raise MFAError(
            f"no indicator {indicator!r}; {near(indicator, known, 'see mfa.indicators')}"
        )
    key = substance or balance.system.substances[0], year or balance.system.years[-1]
    if key not in places(balance):
        raise MFAError(f"no flow has a row for {key[0]} in {key[1]}; choose another one")
    return _table(balance, indicator, key)


@remembered
def _table(balance: Balance, indicator: str, key: tuple[str, int]) -> pd.DataFrame:
    sheet = balance.system.tables.get("measures", pd.DataFrame())
    if sheet.empty:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    place = places(balance)[key]
    points = [(x, closure(place, x)) for x in corners(place)]
    wanted = [one for one in formulas(place) if one.definition.key == indicator]
    rows = [
        _alone(place, points, wanted, row) | {"indicator": indicator, "year": key[1]}
        for row in sheet.to_dict("records")
    ]
    _put_in_order(points, wanted, rows)
    table = pd.DataFrame(rows).drop(columns="change").assign(substance=key[0])
    table = table.reindex(columns=list(COLUMNS)).astype(COLUMNS)
    return table.sort_values(["order", "value"], ascending=[True, False], ignore_index=True)


def _alone(
    place: Place,
    points: list[tuple[Floats, Closure]],
    wanted: list[Formula],
    row: Mapping[Any, Any],
) -> dict[str, Any]:
    """Return what one measure brings alone."""
    out: dict[str, Any] = {
        "measure": str(row["measure"]),
        "item": _text(row.get("item")),
        "target": _number(row.get("target")),
        "cost": _number(row.get("cost")),
        "kind": _text(row.get("kind")),
        "reference": _text(row.get("reference")),
        "problem": "",
        "change": None,
        "order": np.nan,
        "cumulative": np.nan,
    }
    item, target = out["item"], out["target"]
    if np.isnan(target):
        return out | {"problem": "no target: say what value it aims at"}
    if item in set(place.balance.system.processes["process"]):
        return out | capacity_gain(place, item, target)
    found = _change(place, item, target)
    if isinstance(found, str):
        return out | {"problem": found}
    out |= {"now": found.now, "change": found}
    if any(_follows(points[0][1], flow, found) for flow in found.flows.tolist()):
        return out | {"problem": "it follows demand: raise a yield or a share", "change": None}
    if not wanted:
        return out | {"problem": "the indicator cannot be formed"}
    gains = [gain for x, model in points for gain in _gains(model, x, wanted, [found])]
    possible = [gain for gain in gains if np.isfinite(gain)]
    if not possible:
        return out | {"problem": "not possible: no flows above 0 would balance", "change": None}
    if len(possible) < len(gains):
        out["problem"] = "not possible at some points that the data leave open"
    out |= _range(possible)
    cost, value = out["cost"], out["value"]
    return out | {"gain_per_cost": value / cost if cost > 0 else np.nan}


def _range(gains: list[float]) -> dict[str, float]:
    low, high = (end if abs(end) > _SAME else 0.0 for end in (min(gains), max(gains)))
    value = high if high - low <= _SAME * max(1.0, abs(high)) else np.nan
    return {"value": value, "low": low, "high": high}


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell)


def _number(cell: object) -> float:
    return float("nan") if cell is None or cell != cell else float(str(cell))


def _change(place: Place, item: str, target: float) -> _Change | str:
    """Return what a target means for the flows, or why it means nothing."""
    balance = place.balance
    system, ids = balance.system, balance.system.flows["flow"].tolist()
    number = {name: k for k, name in enumerate(ids)}
    coefficients = system.coefficients
    rows = coefficients[coefficients["coefficient"] == item]
    if rows.empty and item not in number:
        known = [*ids, *coefficients["coefficient"], *system.processes["process"]]
        return f"no coefficient, flow or process {item!r}; {near(item, known, 'see the sheets')}"
    if rows.empty:
        flow = number[item]
        if not place.there[flow]:
            return "the flow has no row in this substance and year"
        loose = bool(place.is_loose(place.number)[flow])
        now = np.nan if loose else float(place.x[flow])
        return _Change(np.array([flow]), np.zeros(0, np.int64), target, now)
    row = rows.iloc[0]
    flows = np.array([number[one.strip()] for one in str(row["flow"]).split(",")])
    flows = flows[place.there[flows]]
    if row["of"] not in ("inputs", *number):
        return "a share of all outputs is no share of inputs: state it of inputs"
    if not len(flows):
        return "its flows have no row in this substance and year"
    of = np.zeros(0, np.int64) if row["of"] == "inputs" else np.array([number[str(row["of"])]])
    results = balance.coefficients
    here = results[(results["coefficient"] == item) & results["value"].notna()]
    now = float(here["value"].iloc[-1]) if len(here) else np.nan
    if len(of) == 0:
        enters = np.flatnonzero(place.sets.counted & (place.sets.tail != place.sets.head))
        of = enters[place.sets.head[enters] == place.sets.tail[flows[0]]]
    return _Change(flows, of, target, now)


def _follows(model: Closure, flow: int, change: _Change) -> bool:
    """Return whether a flow is what the closure lets follow from the others; yields do not."""
    return bool(model.kind[flow] in (DRAWN, CLOSING)) and not _is_yield(model, flow, change.of)


def _is_yield(model: Closure, flow: int, of: Ints) -> bool:
    """Return whether a flow as a part of others is the yield of a maker that draws its input."""
    sets = model.sets
    leaves = model.counts & (sets.tail == sets.tail[flow])
    main = np.flatnonzero(leaves & np.isin(model.kind, (DRAWN, CLOSING, FIXED)))
    made = bool((leaves & (model.kind == BYPRODUCT)).any())
    return made and main.tolist() == [flow] and bool((sets.head[of] == sets.tail[flow]).all())


def _applied(model: Closure, changes: list[_Change]) -> Floats | None:
    """Return all flows once some changes are made, None if no flows ≥ 0 can follow them."""
    share = model.share.copy()
    stated: dict[int, tuple[float, Ints]] = {}
    for change in changes:
        for flow in change.flows.tolist():
            factor = change.target
            if len(change.of) and change.now > 0:  # a coefficient of goods, as of the substance
                factor *= model.x[flow] / (change.now * model.x[change.of].sum())
            if not _is_yield(model, flow, change.of):
                stated[flow] = factor, change.of
            _make_room(model, share, flow, factor, change.of)
    try:
        x = model.solved(share, stated)
    except RuntimeError:  # the matrix is singular: nothing is left to give way
        return None
    size = float(np.abs(model.x).max(initial=1.0))
    allowed = (x >= _FEASIBLE * size) | (model.x < 0) | ~model.counts
    if not (np.isfinite(x).all() and allowed.all()):
        return None
    open_ = model.imbalance(x)[model.inside]  # where nothing else can take what a flow leaves
    return x if np.abs(open_).max(initial=0.0) <= -_FEASIBLE * size else None


def _make_room(model: Closure, share: Floats, flow: int, factor: float, of: Ints) -> None:
    """Lower the shares of a flow's siblings in proportion."""
    tail = int(model.sets.tail[flow])
    siblings = (model.sets.tail == tail) & (model.sets.tail != model.sets.head)
    siblings[flow] = False
    byproducts = siblings & (model.kind == BYPRODUCT)
    enters = model.inputs[tail]
    now = float(share[flow])
    if byproducts.any() and enters > 0:
        new = factor * (model.x[of].sum() if len(of) else 1.0) / enters
        now = now or float(model.x[flow] / enters)  # a product's share is its yield
        share[byproducts] *= (1.0 - new) / (1.0 - now) if now < 1.0 else 1.0
        share[flow] = new
    elif now < 1.0:
        share[siblings] /= 1.0 - now
        share[flow] = 0.0


def _gains(model: Closure, x: Floats, wanted: list[Formula], changes: list[_Change]) -> list[float]:
    """Return what changes add to an indicator, for each way to take unknown origin."""
    moved = _applied(model, changes)
    if moved is None:
        return [np.nan]
    return [formula.value(moved) - formula.value(x) for formula in wanted]


def _put_in_order(
    points: list[tuple[Floats, Closure]],
    wanted: list[Formula],
    rows: list[dict[str, Any]],
) -> None:
    """Take in turn the measure that brings most on top of those taken before."""
    left = [row for row in rows if row["change"] is not None]
    priced = bool(left) and all(row["cost"] > 0 for row in left)
    x, model = points[-1]  # the mean, or all there is
    taken: list[_Change] = []
    gained, order = 0.0, 0
    steps: list[float] = []
    while left:
        steps = []
        for row in left:
            total = _gains(model, x, wanted[:1], [*taken, row["change"]])[0]
            steps.append((total - gained) / (row["cost"] if priced else 1.0))
        if not np.nanmax([*steps, -np.inf]) > _SAME:
            break
        best = left.pop(int(np.nanargmax(steps)))
        taken.append(best["change"])
        gained = _gains(model, x, wanted[:1], taken)[0]
        order += 1
        every = [gain for y, other in points for gain in _gains(other, y, wanted, taken)]
        together = _range([gain for gain in every if np.isfinite(gain)])
        names = {"value": "cumulative", "low": "cumulative_low", "high": "cumulative_high"}
        best |= {"order": float(order)} | {names[key]: end for key, end in together.items()}
        for row in [row for row in left if row["item"] == best["item"]]:
            row["problem"] = f"instead of {best['measure']}: both set {best['item']}"
        left = [row for row in left if row["item"] != best["item"]]
    for row, step in zip(left, steps if left else [], strict=True):
        more = "brings nothing" if np.isfinite(step) else "not possible"
        row["problem"] = row["problem"] or f"{more} on top of those before it"
