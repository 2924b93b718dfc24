"""All years together: cohorts as statements of the estimate, beside dense algebra and the truth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import mfa

from . import dense
from .aged import Aged, aged
from .quadratic import solve_bounded
from .results import near, results

SEEDS = range(24)


@cache
def exactly(seed: int) -> tuple[Aged, mfa.Balance, dense.Answer]:
    case = aged(seed)
    return case, mfa.reconcile(case.system()), dense.solve(case.problem())


def compare(balance: mfa.Balance, answer: dense.Answer) -> None:
    table = results(balance)
    assert not balance.is_approximate
    sds = np.sqrt(np.diag(answer.covariance))
    faint = _faint(answer)
    columns = zip(answer.problem.keys, dense.statuses(answer), answer.x, sds, strict=True)
    for key, status, value, sd in columns:
        row = table[key]
        if key in faint and status in ("measured", "reconciled"):
            assert row["status"] in ("measured", "reconciled"), key
        else:
            assert row["status"] == status, key
        if status == "undetermined":
            assert np.isnan(row["value"])
        else:
            assert near(row["value"], value, tolerance=1e-7), (key, row["value"], value)
            assert near(row["sd"], sd, tolerance=1e-6), (key, row["sd"], sd)
    assert balance.dof == answer.dof
    assert near(balance.chi2, answer.chi2, tolerance=1e-7)


def _faint(answer: dense.Answer) -> set[tuple[str, str, str, int]]:
    """Return what is checked so faintly that rounding decides: survival fades and never ends."""
    spare = np.diag(answer.pattern)
    labels = {k for k, left in zip(answer.problem.labels, spare, strict=True) if left < 1e-7}
    within = (keys for name, keys in answer.problem.stated.items() if name in labels)
    return labels.union(*within)


@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_statuses_are_those_of_the_textbook(seed: int) -> None:
    _, balance, answer = exactly(seed)
    compare(balance, answer)


@pytest.mark.parametrize("seed", range(40, 60))
def test_bounds_that_many_outflows_break_are_those_of_a_quadratic_programme(seed: int) -> None:
    case = aged(seed, least=0.0, noise=0.3, exact=False)
    balance = mfa.reconcile(case.system())
    other = solve_bounded(case.problem())
    assert balance.chi2 == pytest.approx(other.goal, rel=1e-5, abs=1e-5)
    equations, x = balance.model.equations, balance.bounded.estimate.x
    known = balance.status != "undetermined"
    assert (x >= equations.lower - 1e-7 * np.abs(x).max())[known].all()


@pytest.mark.parametrize("seed", range(80, 92))
def test_soft_cohorts_are_data_of_the_textbook(seed: int) -> None:
    case = aged(seed, exact=False)
    balance = mfa.reconcile(case.system(), survival="soft", cv=0.2)
    equations, variables = balance.model.equations, balance.model.variables
    errors = np.flatnonzero(variables["kind"] == "lifetime")
    columns = (variables[name].iloc[errors] for name in ("kind", "item", "substance", "year"))
    sd = dict(zip(zip(*columns, strict=True), equations.sd[errors], strict=True))
    answer = dense.solve(case.problem(sd))
    compare(balance, answer)


def chain(
    years: list[int],
    inflow: dict[int, float],
    outflow: dict[int, float],
    levels: dict[int, float],
    sd: float = 0.0,
    *,
    row: dict[str, object] | None = None,
    unit: str = "kt/yr",
    **settings: str,
) -> mfa.System:
    """Return one use with what enters and leaves it; what is not given is blank."""
    flows = [
        {"flow": name, "from": a, "to": b, "year": y, "value": data.get(y), "sd": sd}
        for name, a, b, data in (("in", "Shop", "Use", inflow), ("out", "Use", "Bin", outflow))
        for y in years
    ]
    kinds = {"Shop": "source", "Use": None, "Bin": "sink"}
    stocks = [
        {"process": "Use", "year": y, "quantity": "level", "value": v, "sd": sd}
        for y, v in levels.items()
    ]
    keys = {"unit": unit, "substances": "Cu", **settings}
    life = row or {"distribution": "weibull", "mean": 20.0, "sd": 8.0}
    tables = {
        "system": pd.DataFrame(list(keys.items()), columns=["key", "value"]),
        "processes": pd.DataFrame(
            {"process": list(kinds), "kind": list(kinds.values()), "stock": ["", "yes", ""]}
        ),
        "flows": pd.DataFrame(flows).assign(sd=lambda f: f["sd"].where(f["value"].notna())),
        "lifetimes": pd.DataFrame([{"process": "Use", **life}]),
    }
    if stocks:
        tables["stocks"] = pd.DataFrame(stocks)
    return mfa.System.from_tables(tables)


YEARS = list(range(1990, 2020))


def simulated(
    opening: float = 300.0,
) -> tuple[dict[int, float], dict[int, float], dict[int, float]]:
    """Return inflow, outflow and levels of a stock by the functions for cohorts."""
    inflow = 20 + 6 * np.sin(np.arange(30) / 4.0) + 0.3 * np.arange(30)
    life = mfa.Weibull(mean=20.0, sd=8.0)
    run = mfa.inflow_driven(YEARS, inflow, life, "spread")
    level = run.stock + opening * mfa.stocks.opening_shares(YEARS, life)
    outflow = inflow - np.diff(level, prepend=opening)
    return (
        dict(zip(YEARS, inflow, strict=True)),
        dict(zip(YEARS, outflow, strict=True)),
        dict(zip([1989, *YEARS], [opening, *level], strict=True)),
    )


def one(balance: mfa.Balance, item: str, year: int, column: str = "value") -> object:
    table = balance.flows.set_index(["flow", "year"])
    return table.loc[(item, year), column]


def test_a_survey_and_a_scrap_statistic_tell_what_entered_decades_before() -> None:
    inflow, outflow, levels = simulated()
    known = {y: v for y, v in inflow.items() if y != 1995}
    start, survey, scrap = {1989: levels[1989]}, {2015: levels[2015]}, {2019: outflow[2019]}
    blank = mfa.reconcile(chain(YEARS, known, {}, start, 0.5))
    assert one(blank, "in", 1995, "status") == "undetermined"
    by_scrap = mfa.reconcile(chain(YEARS, known, scrap, start, 0.5))
    by_survey = mfa.reconcile(chain(YEARS, known, {}, start | survey, 0.5))
    by_both = mfa.reconcile(chain(YEARS, known, scrap, start | survey, 0.5))
    for balance in (by_scrap, by_survey, by_both):
        assert one(balance, "in", 1995) == pytest.approx(inflow[1995], rel=1e-6)
        assert one(balance, "in", 1995, "status") == "calculated"
    sds = [one(b, "in", 1995, "sd") for b in (by_both, by_survey, by_scrap)]
    assert sds[0] < min(sds[1:])
    off = mfa.reconcile(chain(YEARS, known, scrap, start | survey, 0.5), survival="off")
    assert one(off, "in", 1995, "status") == "undetermined"


def test_the_truth_lies_within_the_sd_as_often_as_it_should() -> None:
    inflow, outflow, levels = simulated()
    rng = np.random.default_rng(7)
    years = YEARS[:12]
    told = [y for y in years if y not in (1993, 1998)]
    z = []
    for _ in range(100):
        noisy = {y: inflow[y] + rng.normal() for y in told}
        scrap = {y: outflow[y] + rng.normal() for y in (1992, 1996, 2001)}
        survey = {y: levels[y] + rng.normal() for y in (1989, 1995, 2000)}
        balance = mfa.reconcile(chain(years, noisy, scrap, survey, 1.0))
        assert not balance.is_approximate
        truth = [inflow[y] for y in years] + [outflow[y] for y in years]
        assert balance.model.variables["item"].tolist()[:24] == ["in"] * 12 + ["out"] * 12
        z.append((balance.values[:24] - truth) / balance.sds[:24])
    inside = np.abs(np.array(z)) < 1.96
    assert inside.mean() == pytest.approx(0.95, abs=0.015)
    assert inside.mean(axis=0).min() > 0.88
    assert np.abs(np.mean(z, axis=0)).max() < 4 / np.sqrt(100)
    assert np.std(z, axis=0) == pytest.approx(1.0, abs=0.2)


def test_a_stock_that_has_always_grown_goes_on_growing() -> None:
    g, ends = 0.03, np.arange(1990, 2021)
    mean = np.diff(np.exp(g * (ends - 1990))) / g  # of an inflow e^(gt) over each year
    inflow = dict(zip(YEARS, 10 * mean, strict=True))
    age = np.linspace(0, 100, 400_001)
    life = mfa.Weibull(mean=20.0, sd=8.0)
    opening = 10 * float(np.trapezoid(np.exp(-g * age) * life.survival(age), age))
    row: dict[str, object] = {"distribution": "weibull", "mean": 20.0, "sd": 8.0}
    grown, even = (
        mfa.reconcile(chain(YEARS, inflow, {}, {1989: opening}, row=row | {"growth": growth}))
        for growth in (g, None)
    )

    def levels(balance: mfa.Balance) -> np.ndarray:
        table = balance.stocks[balance.stocks["quantity"] == "level"]
        return table["value"].to_numpy() / opening

    expected = np.exp(g * (ends - 1990))
    assert levels(grown) == pytest.approx(expected, rel=2e-4)  # inflow is even within a year
    assert np.abs(levels(even) / expected - 1).max() > 0.03
    left = [one(balance, "out", 1990) for balance in (grown, even)]
    assert left[0] < 0.8 * left[1]  # a young stock loses less


def test_a_stock_that_has_always_had_the_same_inflow_stays_as_it_is() -> None:
    years = [2000, 2001, 2005, 2006, 2016]
    system = chain(years, dict.fromkeys(years, 10.0), {2000: 10.0}, {})
    balance = mfa.reconcile(system)
    table = balance.stocks[balance.stocks["quantity"] == "level"]
    assert table["year"].tolist() == [1999, *years]
    assert table["value"].to_numpy() == pytest.approx(200.0, rel=1e-9)  # 10 kt/yr × 20 yr
    assert balance.flows["value"].to_numpy() == pytest.approx(10.0, rel=1e-9)


def test_results_do_not_depend_on_the_unit_nor_on_the_order_of_rows() -> None:
    inflow, outflow, levels = simulated()
    rng = np.random.default_rng(3)
    noisy = {y: v + rng.normal() for y, v in inflow.items() if y % 7}
    scrap = {y: v + rng.normal() for y, v in outflow.items() if y > 2004}
    survey = {y: levels[y] + rng.normal() for y in (1989, 1999, 2009)}
    plain = mfa.reconcile(chain(YEARS, noisy, scrap, survey, 1.0))

    def times(data: dict[int, float]) -> dict[int, float]:
        return {y: 1e6 * v for y, v in data.items()}

    tonnes = mfa.reconcile(
        chain(YEARS, times(noisy), times(scrap), times(survey), 1e6, unit="g/yr")
    )
    assert tonnes.flows["status"].tolist() == plain.flows["status"].tolist()
    for column in ("value", "sd"):
        assert tonnes.flows[column].to_numpy() / 1e6 == pytest.approx(
            plain.flows[column].to_numpy(), rel=1e-8
        )
    assert tonnes.chi2 == pytest.approx(plain.chi2, rel=1e-8)
    turned = mfa.reconcile(chain(YEARS[::-1], dict(reversed(noisy.items())), scrap, survey, 1.0))
    keys = ["flow", "year"]
    one_way, other = (b.flows.set_index(keys).sort_index() for b in (plain, turned))
    assert other["value"].to_numpy() == pytest.approx(one_way["value"].to_numpy(), rel=1e-9)


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_off_is_what_a_workbook_without_lifetimes_gives(seed: int) -> None:
    system = aged(seed).system()
    off = mfa.reconcile(system, survival="off")
    without = mfa.reconcile(replace(system, tables={}))
    assert np.array_equal(off.bounded.estimate.x, without.bounded.estimate.x)
    pd.testing.assert_frame_equal(off.flows, without.flows)
    pd.testing.assert_frame_equal(off.stocks, without.stocks)
    assert without.cohorts.empty
    assert without.ages.empty


def test_soft_errors_are_a_share_of_the_outflow_of_the_exact_pass() -> None:
    inflow, _, levels = simulated()
    system = chain(YEARS, inflow, {}, {1989: levels[1989]}, 0.5)
    exact = mfa.reconcile(system)
    soft = mfa.reconcile(system, survival="soft", cv=0.07)
    errors = (soft.model.variables["kind"] == "lifetime").to_numpy()
    outflow = exact.flows.loc[exact.flows["flow"] == "out", "value"].to_numpy()
    assert soft.model.equations.sd[errors] == pytest.approx(0.07 * outflow, rel=1e-9)
    assert mfa.reconcile(system, survival="soft").model.cv == 0.1
    wider = np.hypot(exact.flows["sd"], 0.07 * exact.flows["value"])[exact.flows["flow"] == "out"]
    found = soft.flows.loc[soft.flows["flow"] == "out", "sd"]
    assert found.to_numpy() == pytest.approx(wider.to_numpy(), rel=1e-9)


def test_the_two_ways_of_counting_a_stock() -> None:
    inflow, outflow, levels = simulated()
    more = {y: v + 2.0 for y, v in outflow.items()}  # than cohorts let go
    system = chain(YEARS, inflow, more, {1989: levels[1989]}, 0.5)
    off = mfa.reconcile(system, survival="off").cohorts
    assert off["difference"].to_numpy() == pytest.approx(-2.0 * np.arange(1, 31), rel=1e-9)
    assert off["cohort"].to_numpy() == pytest.approx([levels[y] for y in YEARS], rel=1e-9)
    life = mfa.Weibull(mean=20.0, sd=8.0)
    phi = mfa.stocks.survival_shares(YEARS, life, "spread")
    rho = mfa.stocks.opening_shares(YEARS, life)
    ones = np.tri(30)
    spread = np.hypot(0.5 * np.sqrt(((ones - phi) ** 2 + ones**2).sum(axis=1)), 0.5 * (1 - rho))
    assert off["difference_sd"].to_numpy() == pytest.approx(spread, rel=1e-6)
    exact = mfa.reconcile(system)
    assert (exact.cohorts[["difference", "difference_sd"]] == 0.0).all(axis=None)
    assert exact.p_value < 1e-3
    soft = mfa.reconcile(system, survival="soft", cv=0.3)
    assert soft.p_value > 0.05
    assert soft.cohorts["difference"].iloc[-1] < -20


def test_ages_add_up_to_the_stock() -> None:
    inflow, _, levels = simulated()
    balance = mfa.reconcile(chain(YEARS, inflow, {}, {1989: levels[1989]}, 0.5))
    ages = balance.ages
    whole = ages.groupby("year")["value"].sum()
    assert whole.to_numpy() == pytest.approx(balance.cohorts["cohort"].to_numpy(), rel=1e-12)
    old = ages[ages["cohort"].isna()].set_index("year")["value"]
    assert old[1990] < levels[1989]
    row = ages[(ages["year"] == 2019) & (ages["cohort"] == 1995)].iloc[0]
    left = float(mfa.Weibull(mean=20.0, sd=8.0).years_in_use([24.0, 25.0]) @ [-1, 1])
    assert row["value"] == pytest.approx(left * inflow[1995], rel=1e-9)
    assert row["sd"] == pytest.approx(left * 0.5, rel=1e-9)
    assert row["unit"] == "kt"


def test_exact_data_that_no_cohort_can_have_name_the_lifetime() -> None:
    years = [2018, 2019, 2020]
    inflow, outflow = {2018: 10.0, 2019: 12.0, 2020: 9.0}, {2018: 1.0, 2019: 3.0, 2020: 2.0}
    system = chain(years, inflow, outflow, {2017: 40.0})
    with pytest.raises(mfa.BalanceError) as caught:
        mfa.reconcile(system)
    assert set(caught.value.rows) == {"lifetimes!A2", "stocks!A2", "flows!A2", "flows!A5"} or (
        "lifetimes!A2" in caught.value.rows and len(caught.value.rows) == 4
    )
    assert "'soft'" in str(caught.value)
    assert mfa.reconcile(system, survival="soft").p_value < 1e-3
    assert mfa.reconcile(system, survival="off").dof == 0


def test_reasons_name_the_lifetime_by_year_and_cell() -> None:
    inflow, outflow, levels = simulated()
    balance = mfa.reconcile(chain(YEARS[:3], inflow, outflow, {1989: levels[1989]}, 0.5))
    row = balance.why(["in 1990"]).iloc[0]
    assert any("lifetime Use 1990 (lifetimes!A2)" in text for text in row["checked_by"]), row
    soft = mfa.reconcile(
        chain(YEARS[:3], inflow, {y: v + 5 for y, v in outflow.items()}, {1989: 300.0}, 0.5),
        survival="soft",
    )
    aged_rows = soft.suspects[soft.suspects["quantity"] == "lifetime"]
    assert sorted(aged_rows["year"]) == YEARS[:3]
    assert set(aged_rows["cell"]) == {"lifetimes!A2"}
    assert aged_rows["p_value"].min() < 0.01


def test_a_process_is_named_for_its_change_not_for_its_lifetime() -> None:
    inflow, outflow, levels = simulated()
    system = chain(YEARS[:3], inflow, outflow, {1989: levels[1989]}, 0.5)
    soft = mfa.reconcile(system, survival="soft")
    (number,) = soft.numbers([("Use", 1991)])
    assert soft.model.variables["kind"].iat[number] == "change"
    (number,) = soft.numbers(["Use lifetime 1991"])
    assert soft.model.variables["kind"].iat[number] == "lifetime"


def test_the_convention_is_that_of_the_sheet_system() -> None:
    row = {"distribution": "fixed", "mean": 2.0}
    years = [2000, 2001, 2002, 2003]
    inflow, none = dict.fromkeys(years, 8.0), {1999: 0.0}
    ends = {"start": [0, 8, 8, 8], "middle": [0, 0, 8, 8], "end": [0, 0, 8, 8]}
    ends["spread"] = [0, 0, 8, 8]
    for word, outflow in ends.items():
        balance = mfa.reconcile(chain(years, inflow, {}, none, row=row, inflow_at=word))
        found = balance.flows.loc[balance.flows["flow"] == "out", "value"]
        assert found.tolist() == pytest.approx(outflow, abs=1e-12), word


def test_only_known_words_and_a_cv_above_0_will_do() -> None:
    system = chain([2018], {2018: 3.0}, {}, {}, 0.5)
    with pytest.raises(mfa.MFAError, match="did you mean 'soft'"):
        mfa.reconcile(system, survival="sft")  # type: ignore[arg-type]
    for cv in (0.0, -1.0, np.nan):
        with pytest.raises(mfa.MFAError, match="cv has to be a number above 0"):
            mfa.reconcile(system, survival="soft", cv=cv)
