"""Which number, if somebody went and measured it, would say most about an indicator."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mfa.balance import Balance
from mfa.balance.network import Floats, Ints
from mfa.errors import MFAError, near
from mfa.recycling.definitions import Definition
from mfa.recycling.indicators import DEFINITIONS, formed, missing
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.polytope import Polytope
from mfa.recycling.posterior import Known, Settled
from mfa.recycling.ratio import slope
from mfa.recycling.tracing import Tracing

COLUMNS = {
    "item": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "indicator": "str",
    "width_now": "float64",
    "width_then": "float64",
    "sd_now": "float64",
    "sd_then": "float64",
    "kind": "str",
    "measured_sd": "float64",
    "step": "Int64",
    "plan_width": "float64",
    "plan_sd": "float64",
    "note": "str",
}
KINDS = ("flow", "change", "level", "coefficient", "composition")
IN_RANGE = "known only to lie in its range; taken as found in the middle"
_LESS = 1e-6
_DIGITS = 9
_LITTLE = 1e-5
_MANY = 3000  # candidates beyond which only what the indicator counts is looked at


def survey(
    balance: Balance,
    indicator: str = "eol_recycling_rate",
    substance: str | None = None,
    year: int | None = None,
    cv: float = 0.05,
    sd: float | None = None,
    steps: int = 5,
) -> pd.DataFrame:
    """Return which numbers to go and measure, in the order in which they would tell most.

    Candidates are flows, stock levels and changes, coefficients and compositions of the substance
    and year, unknown ones and known but poor ones. Where the indicator is undetermined, only
    unknown numbers can help: each in turn is held in the middle of its range, and the range of the
    indicator formed anew. Where it is determined, each is taken as measured (once more), and the
    variance that is left follows from the covariance of the results, to first order at the
    results. A plan takes the best, then the best of what is left once that is known, and so on.

    Parameters
    ----------
    balance : Balance
    indicator : str
        Id of the indicator; "import_reliance:refined" where there are several.
    substance, year : optional
        By default the first substance and the last year.
    cv : float
        sd of a measurement ÷ value; of an undetermined number ÷ the middle of its range.
    sd : float, optional
        sd of every measurement instead, in the unit of the number.
    steps : int
        Numbers in the plan.

    Returns
    -------
    DataFrame
        item, substance, year, its value, sd, low, high; the indicator; width of its range and its
        sd now, and once the item alone is measured; kind of the item and the sd of the
        measurement; step of the plan, and width and sd after that and all earlier steps; a note. A
        range without a limit has the width inf, an indicator that has a value the width 0. The plan
        comes first, then the rest, best first. Empty where nothing helps or the indicator cannot
        be formed. An undetermined number is known only to lie in its range: what is found may be
        elsewhere and say more or less.

    Raises
    ------
    MFAError
        If there is no such indicator, substance or year, or if a measurement's sd is not above 0.
    """
    known = {one.key: one for one in DEFINITIONS} | {
        one.indicator: one for one in DEFINITIONS[::-1]
    }
    if indicator not in known:
        raise MFAError(
            f"no indicator {indicator!r}; {near(indicator, sorted(known), 'see mfa.indicators')}"
        )
    if not (cv > 0 if sd is None else sd > 0):
        raise MFAError("the sd of a measurement must be above 0; say how well it can be measured")
    return _table(balance, indicator, _key(balance, substance, year), cv, sd, steps)


@dataclass(frozen=True)
class _Aim:
    """What is to be known better, and how well numbers can be measured."""

    definition: Definition
    cv: float
    sd: float | None

    def measured_sd(self, size: float) -> float:
        return self.cv * abs(size) if self.sd is None else self.sd

    def width(self, place: Place) -> float:
        found = formed(self.definition, place)
        return 0.0 if np.isfinite(found.value) else found.high - found.low

    def gradient(self, settled: Settled) -> Floats | None:
        """Return how the determined indicator changes with every variable.

        What a programme does not tell, the change with the items that are held, is had by moving
        them a little.
        """
        definition, place = self.definition, settled.place
        found = slope(definition.above(place), definition.below(place), place)
        if found is None or found[1]:
            return None if found is None else found[0]
        gradient = found[0].copy()
        for number, _, _ in settled.steps:
            value = float(place.space.lower[number])
            move = _LITTLE * (abs(value) + float(np.abs(place.x).max()))
            ends = [formed(definition, _moved(place, number, value + s * move)) for s in (1, -1)]
            up, down = ((end.low + end.high) / 2 for end in ends)
            gradient[number] = (up - down) / (2 * move)
        return gradient


def _moved(place: Place, number: int, value: float) -> Place:
    """Return a place where a held item has another value."""
    lower, upper = place.space.lower.copy(), place.space.upper.copy()
    lower[number] = upper[number] = value
    return replace(place, space=replace(place.space, lower=lower, upper=upper))


@remembered
def _table(
    balance: Balance,
    indicator: str,
    key: tuple[str, int],
    cv: float,
    sd: float | None,
    steps: int,
) -> pd.DataFrame:
    definition = next(one for one in DEFINITIONS if indicator in (one.key, one.indicator))
    aim = _Aim(definition, cv, sd)
    place = places(balance).get(key)
    rows: list[dict[str, object]] = []
    if place is not None and not missing(definition, place):
        rows = _plan(aim, place, steps)
    about = {"substance": key[0], "year": key[1], "indicator": indicator}
    return pd.DataFrame([row | about for row in rows], columns=list(COLUMNS)).astype(COLUMNS)


def _plan(aim: _Aim, place: Place, steps: int) -> list[dict[str, object]]:
    """Return one row per candidate that helps: those of the plan in their order, then the rest."""
    settled = Settled(place)
    width = aim.width(place)
    rows = _openings(aim, settled, width)
    plan: list[dict[str, object]] = []
    while width > 0 and len(plan) < steps:
        options = rows if not plan else _openings(aim, settled, width)
        if not options:
            break
        best = options[0]
        number, middle = int(str(best["number"])), float(str(best["middle"]))
        step = settled.place.step_of(number)
        settled = settled.hold(number, middle * step, float(str(best["measured_sd"])) * step)
        width = float(str(best["width_then"]))
        plan.append(best | {"step": len(plan) + 1, "plan_width": width, "plan_sd": best["sd_then"]})
    if not width > 0:
        alone, more = _refinements(aim, settled, steps - len(plan), len(plan))
        rows, plan = rows or alone, plan + more
    return _joined(rows, plan)


def _key(balance: Balance, substance: str | None, year: int | None) -> tuple[str, int]:
    """Return substance and year asked for."""
    system = balance.system
    substance = system.substances[0] if substance is None else substance
    year = system.years[-1] if year is None else year
    if substance not in system.substances:
        advice = near(substance, system.substances, "it has " + ", ".join(system.substances))
        raise MFAError(f"the system has no substance {substance!r}; {advice}")
    if year not in system.years:
        years = ", ".join(map(str, system.years))
        raise MFAError(f"the system has no year {year}; there are {years}")
    return substance, year


def _numbers(place: Place) -> Ints:
    """Return the variables of a place that somebody could measure."""
    variables = place.balance.model.variables
    own = np.concatenate([place.number, place.change, place.level])
    own = own[own >= 0]
    substance = variables["substance"].iat[own[0]]
    shares = (
        variables["kind"].isin(("coefficient", "composition"))
        & variables["substance"].isin((substance, ""))
        & variables["year"].isin((place.year, 0))
    ).to_numpy()
    return np.unique(np.concatenate([own, np.flatnonzero(shares)]))


def _about(place: Place, number: int) -> dict[str, object]:
    """Return what is known of a candidate now."""
    balance = place.balance
    variable = balance.model.variables.iloc[number]
    low, high = (float(ends[number]) for ends in balance.limits)
    return {
        "number": number,
        "item": str(variable["item"]),
        "kind": str(variable["kind"]),
        "value": float(balance.values[number]),
        "sd": float(balance.sds[number]),
        "low": low if np.isfinite(low) else np.nan,
        "high": high if np.isfinite(high) else np.nan,
        "note": IN_RANGE if balance.status[number] == "undetermined" else "",
    }


def _openings(aim: _Aim, settled: Settled, width: float) -> list[dict[str, object]]:
    """Return the undetermined items that narrow an open indicator, best first."""
    if not width > 0:
        return []
    place = settled.place
    definition = aim.definition
    terms = [*definition.above(place), *definition.below(place)]
    origins = [term.origin for term in terms if term.origin is not None]
    polytope = Polytope(place, terms, {o.name: Tracing(place, o) for o in origins})
    out = []
    numbers = _numbers(place)
    for number in numbers[place.is_loose(numbers)].tolist():
        ends = polytope.range_of(number) if settled.steps else _limits(place, number)
        if not polytope.contains(number) or ends is None or not np.all(np.isfinite(ends)):
            continue
        step = place.step_of(number)
        middle = (ends[0] + ends[1]) / 2 / step
        sd = aim.measured_sd(middle)
        then = settled.hold(number, middle * step, sd * step)
        narrowed = aim.width(then.place)
        if not np.isnan(narrowed) and narrowed < width * (1 - _LESS):
            row = _about(place, number) | {"middle": middle, "measured_sd": sd}
            row |= {"width_now": width, "width_then": narrowed, "sd_now": np.nan}
            out.append(row | {"sd_then": _sd(aim, then) if narrowed == 0 else np.nan})
    return sorted(out, key=_rank)


def _limits(place: Place, number: int) -> tuple[float, float]:
    """Return the range of a variable before anything is settled, in mass per step."""
    low, high = place.balance.limits
    step = place.step_of(number)
    return float(low[number]) * step, float(high[number]) * step


def _rank(row: dict[str, object]) -> tuple[float, float, str]:
    """Sort by the width left, then by the sd, then by name; rounding decides nothing."""
    width, sd = float(str(row["width_then"])), float(str(row["sd_then"]))
    return round(width, _DIGITS), 0.0 if np.isnan(sd) else round(sd, _DIGITS), str(row["item"])


def _sd(aim: _Aim, settled: Settled) -> float:
    """Return the sd of an indicator that has become determined."""
    gradient = aim.gradient(settled)
    if gradient is None:
        return float("nan")
    return float(np.sqrt(Known(settled, sp.csr_array(gradient[None, :])).variances[0]))


def _refinements(
    aim: _Aim, settled: Settled, steps: int, before: int
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return the determined items that sharpen a determined indicator: each alone, and a plan."""
    place = settled.place
    gradient = aim.gradient(settled)
    if gradient is None:
        return [], []
    numbers = _numbers(place)
    measured = [number for number, _, _ in settled.steps]
    numbers = numbers[~place.is_loose(numbers) & ~np.isin(numbers, measured)]
    if len(numbers) > _MANY:
        numbers = numbers[gradient[numbers] != 0]
    eye = sp.csr_array(sp.eye_array(len(gradient), format="csr")[numbers])
    known = Known(settled, sp.csr_array(sp.vstack([sp.csr_array(gradient[None, :]), eye])))
    step_of = np.array([place.step_of(number) for number in numbers.tolist()])
    values = place.point[numbers] / step_of
    wanted = np.array([aim.measured_sd(value) for value in values.tolist()]) * step_of
    sd = _as_further(place, numbers, wanted)
    alone: list[dict[str, object]] = []
    plan: list[dict[str, object]] = []
    left = np.isfinite(sd)
    for k in range(max(steps, 1)):
        variance, each = known.variances[0], known.variances[1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = known.covariances(0)[1:] ** 2 / (each + sd**2)
        gain = np.where(left & (each > 0), np.minimum(gain, variance), 0.0)
        rows = [
            _about(place, int(numbers[at]))
            | {
                "at": at,
                "width_now": 0.0,
                "width_then": 0.0,
                "measured_sd": wanted[at] / step_of[at],
            }
            | {"sd_now": np.sqrt(variance), "sd_then": np.sqrt(variance - gain[at])}
            for at in np.flatnonzero(gain > _LESS * variance).tolist()
        ]
        rows.sort(key=_rank)
        alone = alone if k else rows
        if not rows or k >= steps:
            break
        best = rows[0]
        plan.append(best | {"step": before + k + 1, "plan_width": 0.0, "plan_sd": best["sd_then"]})
        at = int(str(best["at"]))
        known.measure(at + 1, float(sd[at]))
        left[at] = False
    return alone, plan


def _as_further(place: Place, numbers: Ints, wanted: Floats) -> Floats:
    """Return the sd of one more measurement that makes an old datum as good as is wanted.

    Improving a datum from sd to s counts as the information 1/s² − 1/sd²; inf where it is as good
    already.
    """
    equations = place.balance.model.equations
    old = np.where(equations.measured, equations.sd, np.inf)[numbers]
    with np.errstate(divide="ignore", invalid="ignore"):
        more = 1.0 / wanted**2 - 1.0 / old**2
        return np.asarray(np.where((more > 0) & (wanted > 0), 1.0 / np.sqrt(more), np.inf))


def _joined(
    rows: list[dict[str, object]], plan: list[dict[str, object]]
) -> list[dict[str, object]]:
    """Return the plan, then all others; what each tells alone stands beside the plan."""
    alone = {row["number"]: row for row in rows}
    names = ("width_now", "width_then", "sd_now", "sd_then")
    first = rows[0] if rows else {}
    nothing = {
        "width_now": first.get("width_now"),
        "width_then": first.get("width_now"),
        "sd_now": first.get("sd_now"),
        "sd_then": first.get("sd_now"),
    }
    out = []
    for row in plan:
        own = alone.pop(row["number"], None)
        out.append(row | ({name: own[name] for name in names} if own else nothing))
    return [*out, *(row | {"step": None} for row in alone.values())]
