"""Which number, if somebody went and measured it, would say most about an indicator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mfa.balance import Balance
from mfa.balance.network import Floats, Ints, Mask
from mfa.errors import MFAError, near
from mfa.recycling.indicators import DEFINITIONS
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.posterior import Known, Settled
from mfa.recycling.ranking import RankingAim
from mfa.recycling.standing import Aim, IndicatorAim, Sharp, Standing

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
    "open_now": "Int64",
    "open_then": "Int64",
    "plan_open": "Int64",
    "probability_now": "float64",
    "plan_probability": "float64",
    "unit": "str",
}
BOTTLENECKS = "bottlenecks"
KINDS = ("flow", "change", "level", "coefficient", "composition")
IN_RANGE = "known only to lie in its range; taken as found in the middle"
_LESS = 1e-6
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

    With ``indicator="bottlenecks"`` it is asked which process loses most. What counts first is how
    many undetermined losses may be the worst (``open``), as `bottlenecks` ranks them; then the most
    by which another loss may exceed the one ranked first (``width``; at least 0): all that is
    possible where their difference is undetermined, else its value + 1.96 sd; then the same added
    up over all others. Once no undetermined loss may be the worst, known numbers count.

    Parameters
    ----------
    balance : Balance
    indicator : str
        Id of the indicator; "import_reliance:refined" where there are several; or "bottlenecks".
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
        comes first, then the rest, best first. For a ranking, width and sd are of the difference
        between the loss ranked first and the one that may exceed it most; with the undetermined
        losses that may be the worst, and the probability that the first is the worst, now and
        after each step (blank while an undetermined loss may be). Last the unit of widths and sd of
        what is asked for. Empty where nothing helps or the indicator cannot
        be formed. An undetermined number is known only to lie in its range: what is found may be
        elsewhere and say more or less.

    Raises
    ------
    MFAError
        If there is no such indicator, substance or year, or if a measurement's sd is not above 0.
    """
    known = {BOTTLENECKS} | {name for one in DEFINITIONS for name in (one.key, one.indicator)}
    if indicator not in known:
        raise MFAError(
            f"no indicator {indicator!r}; {near(indicator, sorted(known), 'see mfa.indicators')}"
        )
    if not (cv > 0 if sd is None else sd > 0):
        raise MFAError("the sd of a measurement must be above 0; say how well it can be measured")
    return _table(balance, indicator, _key(balance, substance, year), cv, sd, steps)


@dataclass(frozen=True)
class _Survey:
    """What is to be known better, and how well numbers can be measured."""

    aim: Aim
    cv: float
    sd: float | None

    def measured_sd(self, size: float) -> float:
        return self.cv * abs(size) if self.sd is None else self.sd


Row = dict[str, Any]


@remembered
def _table(
    balance: Balance,
    indicator: str,
    key: tuple[str, int],
    cv: float,
    sd: float | None,
    steps: int,
) -> pd.DataFrame:
    place = places(balance).get(key)
    aim = None if place is None else _aim(indicator, place)
    about: Row = {"substance": key[0], "year": key[1], "indicator": indicator}
    rows: list[Row] = []
    if place is not None and aim is not None:
        rows = _plan(_Survey(aim, cv, sd), place, steps)
        about |= {"unit": aim.unit}
    return pd.DataFrame([row | about for row in rows], columns=list(COLUMNS)).astype(COLUMNS)


def _aim(indicator: str, place: Place) -> Aim | None:
    """Return what is asked for, None if it cannot be formed."""
    if indicator == BOTTLENECKS:
        ranking = RankingAim(place)
        return ranking if ranking.rows.shape[0] > 1 else None
    definition = next(one for one in DEFINITIONS if indicator in (one.key, one.indicator))
    aim = IndicatorAim(definition, place)
    return aim if aim.is_formed else None


def _plan(survey: _Survey, place: Place, steps: int) -> list[Row]:
    """Return one row per candidate that helps: those of the plan in their order, then the rest."""
    settled = Settled(place)
    now = survey.aim.standing(settled)
    start = now
    about: Row = {"now": start, "probability_now": _chance(survey, settled, start)}
    rows = [] if now.settled else _openings(survey, settled, now)
    plan: list[Row] = []
    while not now.settled and len(plan) < steps:
        options = rows if not plan else _openings(survey, settled, now)
        if not options:
            break
        best = options[0]
        settled, now = best["settled"], best["then"]
        chance = _chance(survey, settled, now)
        plan.append(best | _step(len(plan) + 1, now, chance))
    if now.settled:
        alone, more = _refinements(survey, settled, steps - len(plan), len(plan))
        rows, plan = rows or alone, plan + more
    return [_told(row | about) for row in _joined(rows, plan, start)]


def _step(number: int, then: Standing, chance: float) -> Row:
    return {"step": number, "after": then, "plan_probability": chance}


def _told(row: Row) -> Row:
    """Return a row with the numbers of its standings."""
    out = dict(row)
    for name, column in (("now", "{}_now"), ("then", "{}_then"), ("after", "plan_{}")):
        found = row.get(name)
        if found is not None:
            out[column.format("width")] = found.width
            out[column.format("sd")] = found.sd
            out[column.format("open")] = found.open if found.open >= 0 else None
    return out


def _chance(survey: _Survey, settled: Settled, now: Standing) -> float:
    """Return the probability that the first of a ranking is the worst; nan where it has none."""
    if now.open != 0:
        return float("nan")
    sharp = survey.aim.sharp(settled)
    if sharp is None:
        return float("nan")
    return sharp.chance(_covariance(Known(settled, sharp.rows), sharp))


def _covariance(known: Known, sharp: Sharp) -> Floats:
    """Return the covariance of what a standing rests on, which is what comes first."""
    k = sharp.rows.shape[0]
    return np.array([known.covariances(at)[:k] for at in range(k)])


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


def _about(place: Place, number: int) -> Row:
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


def _openings(survey: _Survey, settled: Settled, now: Standing) -> list[Row]:
    """Return the undetermined items that narrow what is open, best first."""
    place = settled.place
    ends_of = survey.aim.ranges(settled)
    out = []
    numbers = _numbers(place)
    for number in numbers[place.is_loose(numbers)].tolist():
        ends = ends_of(number)
        if ends is None or not np.all(np.isfinite(ends)):
            continue
        step = place.step_of(number)
        middle = (ends[0] + ends[1]) / 2 / step
        sd = survey.measured_sd(middle)
        found = settled.hold(number, middle * step, sd * step)
        then = survey.aim.standing(found)
        if not np.isnan(then.width) and then.is_better_than(now):
            row = _about(place, number) | {"measured_sd": sd, "settled": found}
            out.append(row | {"now": now, "then": then})
    return sorted(out, key=_rank)


def _rank(row: Row) -> tuple[tuple[float, ...], str]:
    """Sort by what is left, then by name; rounding decides nothing."""
    return row["then"].rank, row["item"]


def _refinements(
    survey: _Survey, settled: Settled, steps: int, before: int
) -> tuple[list[Row], list[Row]]:
    """Return the determined items that sharpen what is determined: each alone, and a plan."""
    sharp = survey.aim.sharp(settled)
    if sharp is None:
        return [], []
    options = _options(survey, settled, sharp)
    k = sharp.rows.shape[0]
    known = Known(settled, _with_single(sharp.rows, options.numbers))
    left = np.isfinite(options.sd)
    alone: list[Row] = []
    plan: list[Row] = []
    for step in range(max(steps, 1)):
        rows = _sharpening(settled.place, sharp, known, options, left)
        alone = alone if step else rows
        if not rows or step >= steps:
            break
        best = rows[0]
        known.measure(best["at"] + k, float(options.sd[best["at"]]))
        left[best["at"]] = False
        chance = sharp.chance(_covariance(known, sharp))
        plan.append(best | _step(before + step + 1, best["then"], chance))
    return alone, plan


@dataclass(frozen=True, eq=False)
class _Options:
    """Determined numbers that could be measured (again).

    ``wanted`` is the sd of the measurement in mass per step, ``sd`` that of one more measurement
    which is worth as much.
    """

    numbers: Ints
    wanted: Floats
    sd: Floats


def _options(survey: _Survey, settled: Settled, sharp: Sharp) -> _Options:
    place = settled.place
    numbers = _numbers(place)
    measured = [number for number, _, _ in settled.steps]
    numbers = numbers[~place.is_loose(numbers) & ~np.isin(numbers, measured)]
    if len(numbers) > _MANY:
        numbers = numbers[np.isin(numbers, sharp.rows.indices)]
    step_of = np.array([place.step_of(number) for number in numbers.tolist()])
    values = place.point[numbers] / step_of
    wanted = np.array([survey.measured_sd(value) for value in values.tolist()]) * step_of
    return _Options(numbers, wanted, _as_further(place, numbers, wanted))


def _with_single(rows: sp.csr_array, numbers: Ints) -> sp.csr_array:
    """Return some rows, then one for each of some variables."""
    eye = sp.csr_array(sp.eye_array(rows.shape[1], format="csr")[numbers])
    return sp.csr_array(sp.vstack([rows, eye], format="csr"))


def _sharpening(
    place: Place, sharp: Sharp, known: Known, options: _Options, left: Mask
) -> list[Row]:
    """Return what each measurement that is left would sharpen on top of the others, best first."""
    k = sharp.rows.shape[0]
    variances, each = known.variances[:k], known.variances[k:]
    shared = np.array([known.covariances(at)[k:] for at in range(k)])
    with np.errstate(divide="ignore", invalid="ignore"):
        falls = shared**2 / (each + options.sd**2)
    falls = np.where(left & (each > 0), np.minimum(falls, variances[:, None]), 0.0)
    now, rows = sharp.judge(variances), []
    for at in np.flatnonzero((falls > _LESS * variances[:, None]).any(axis=0)).tolist():
        then = sharp.judge(variances - falls[:, at])
        if then.is_better_than(now):
            number = int(options.numbers[at])
            sd = options.wanted[at] / place.step_of(number)
            row = _about(place, number) | {"at": at, "measured_sd": sd}
            rows.append(row | {"now": now, "then": then})
    return sorted(rows, key=_rank)


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


def _joined(rows: list[Row], plan: list[Row], now: Standing) -> list[Row]:
    """Return the plan, then all others; what each tells alone stands beside the plan."""
    alone = {row["number"]: row for row in rows}
    out = []
    for row in plan:
        own = alone.pop(row["number"], None)
        out.append(row | {"then": own["then"] if own else now})
    return [*out, *alone.values()]
