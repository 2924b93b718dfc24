"""What holds for the balance of every system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mfa

from ..balance.cases import SHEETS, Case, Row, Wishes, random_case  # noqa: TID252
from ..balance.results import results  # noqa: TID252

OPEN = Wishes(parts=1)  # no bound holds
BOUNDED = Wishes(parts=1, free=False, limits=True, noise=2.0, exact=0.03)
NUMBERS = ["value", "sd", "low", "high", "detectable"]
SIDE = {"min": -1, "max": 1}

systems = st.integers(0, 10**6).map(lambda seed: random_case(seed, OPEN))
bounded = st.integers(0, 10**6).map(lambda seed: random_case(seed, BOUNDED))
repeatably = settings(
    derandomize=True,
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def reconcile(case: Case) -> mfa.Balance:
    return mfa.reconcile(case.system())


def rows_of(case: Case, change: Callable[[str, Row], Row]) -> Case:
    """Return a case with every row changed."""
    sheets = {name: [change(name, row) for row in getattr(case, name)] for name in SHEETS}
    return replace(case, **sheets)


def same(
    first: mfa.Balance,
    second: mfa.Balance,
    *,
    factor: float = 1.0,
    name: Callable[[str], str] = str,
    tolerance: float = 1e-7,
) -> None:
    """Assert that two balances say the same, with other names or in another unit."""
    one, two = results(first), results(second)
    assert len(one) == len(two)
    for (kind, item, substance, year), row in one.items():
        flow, slash, of = item.partition("/")  # a composition is called after both
        other = two[kind, name(flow) + slash + of, substance, year]
        assert row["status"] == other["status"], (kind, item, substance, year)
        size = factor * max(1.0, np.nan_to_num(abs(row["value"])))
        for column in NUMBERS:
            found, wanted = other[column], factor * row[column]
            close = np.isclose(found, wanted, rtol=tolerance, atol=tolerance * size, equal_nan=True)
            assert close, (kind, item, substance, year, column, found, wanted)
    assert first.dof == second.dof
    assert second.chi2 == pytest.approx(first.chi2, rel=1e-7, abs=1e-9)


@repeatably
@given(bounded)
def test_names_do_not_matter(case: Case) -> None:
    places = {"process", "from", "to", "flow", "of", "observation", "coefficient"}
    kept = {None, "inputs", "outputs"}

    def rename(text: str) -> str:
        return f"~{text[::-1]}~"

    def renamed(_: str, row: Row) -> Row:
        return {
            key: rename(value) if key in places and value not in kept else value
            for key, value in row.items()
        }

    same(reconcile(case), reconcile(rows_of(case, renamed)), name=rename)


@repeatably
@given(bounded, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(case: Case, random: object) -> None:
    """Rows of one observation stay in order: the first of them holds its number."""

    def shuffled(rows: list[Row]) -> list[Row]:
        out = list(rows)
        random.shuffle(out)  # type: ignore[attr-defined]
        return out

    names = shuffled(list(dict.fromkeys(row["observation"] for row in case.observations)))
    statements = [row for name in names for row in case.observations if row["observation"] == name]
    others = {name: shuffled(getattr(case, name)) for name in SHEETS if name != "observations"}
    same(reconcile(case), reconcile(replace(case, observations=statements, **others)))


@repeatably
@given(bounded)
def test_the_unit_does_not_matter(case: Case) -> None:
    """From kt to t: shares stay, everything else is a thousand times as much."""

    def scaled(sheet: str, row: Row) -> Row:
        masses = ("value", "sd", "min", "max")
        if sheet in ("coefficients", "compositions"):
            return row
        return {
            key: value * 1000.0 if key in masses and value is not None else value
            for key, value in row.items()
        }

    first = reconcile(case)
    second = reconcile(replace(rows_of(case, scaled), unit="t/yr"))
    shares = [kind for kind in ("coefficients", "compositions") if getattr(case, kind)]
    if not shares:
        same(first, second, factor=1000.0)
    pd.testing.assert_series_equal(first.flows["status"], second.flows["status"])
    for column in NUMBERS:
        np.testing.assert_allclose(
            second.flows[column], 1000.0 * first.flows[column], rtol=1e-7, atol=1e-4
        )


@repeatably
@given(bounded)
def test_balances_close_and_bounds_hold(case: Case) -> None:
    balance = reconcile(case)
    rows = balance.processes
    assert (rows["residual"].abs() <= 1e-9 * rows["throughput"].clip(lower=1e-3)).all()
    flows = balance.flows
    slack = 1e-9 * (1.0 + flows["value"].abs())
    least = flows["min"].where(flows["min"].notna(), 0.0)
    least = least.where(flows["role"] != "discrepancy", -np.inf)
    assert not (flows["value"] < least - slack).any()
    assert not (flows["value"] > flows["max"] + slack).any()


@repeatably
@given(st.integers(0, 10**6))
def test_data_that_close_do_not_move(seed: int) -> None:
    case = random_case(seed, replace(OPEN, noise=0.0, excluded=0.0))
    balance = reconcile(case)
    assert balance.chi2 < 1e-4  # the data are rounded to four decimals
    moved = balance.flows["adjustment"].dropna()
    assert (moved.abs() < 1e-2).all()
    assert not balance.suspects["p_value"].lt(0.9).any()


@repeatably
@given(systems, st.randoms(use_true_random=False))
def test_a_further_datum_raises_no_sd(case: Case, random: object) -> None:
    first = reconcile(case)
    open_ = [i for i, row in enumerate(case.flows) if row["value"] is None]
    if not open_:
        return
    chosen = random.choice(open_)  # type: ignore[attr-defined]
    flows = list(case.flows)
    flows[chosen] = flows[chosen] | {"value": 7.3, "sd": 2.1, "include": None}
    second = reconcile(replace(case, flows=flows))
    before, after = results(first), results(second)
    for key, row in before.items():
        if row["status"] != "undetermined":
            assert after[key]["status"] != "undetermined", key
            assert after[key]["sd"] <= row["sd"] * (1 + 1e-7) + 1e-9, key


@repeatably
@given(systems)
def test_a_flow_may_be_split_in_two(case: Case) -> None:
    """Two halves with sd/√2 each say as much as the whole; chi2 and all other results stay."""
    related = [*case.coefficients, *case.observations, *case.compositions]
    named = {row[key] for row in related for key in ("flow", "of") if key in row}
    free = [row["flow"] for row in case.flows if row["flow"] not in named]
    if not free:
        return
    name, flows = free[0], []
    for row in case.flows:
        if row["flow"] == name:
            share = {"value": 2.0, "sd": 2.0**0.5}
            row = row | {k: row[k] / by for k, by in share.items() if row[k] is not None}
            flows.append(row | {"flow": f"{name} too"})
        flows.append(row)
    one, two = reconcile(case), reconcile(replace(case, flows=flows))
    before, after = results(one), results(two)
    for key, row in before.items():
        found = [after[key]]
        if key[1] == name:
            if np.isnan(row["observed"]) or not row["include"]:
                continue  # nothing says how it parts
            found.append(after[key[0], f"{name} too", *key[2:]])
        assert {part["status"] for part in found} == {row["status"]}, key
        total = sum(part["value"] for part in found)
        assert total == pytest.approx(row["value"], rel=1e-7, abs=1e-7, nan_ok=True), key
        if len(found) == 2:
            assert found[0]["value"] == pytest.approx(found[1]["value"], rel=1e-7, abs=1e-7)
    assert two.chi2 == pytest.approx(one.chi2, rel=1e-7, abs=1e-9)
    assert two.dof == one.dof


@repeatably
@given(st.integers(0, 10**6))
def test_years_that_no_stock_links_are_independent(seed: int) -> None:
    case = random_case(seed, replace(BOUNDED, relations=False, stocks=False))
    whole = reconcile(case)
    together = results(whole)
    chi2, dof, seen = 0.0, 0, 0
    for year in case.years:
        alone = reconcile(replace(case, flows=[r for r in case.flows if r["year"] == year]))
        for key, row in results(alone).items():
            seen += 1
            assert row["status"] == together[key]["status"], key
            for column in NUMBERS:
                wanted = together[key][column]
                assert row[column] == pytest.approx(wanted, rel=1e-7, abs=1e-6, nan_ok=True), (
                    *key,
                    column,
                )
        chi2, dof = chi2 + alone.chi2, dof + alone.dof
    assert seen == len(together)
    assert whole.chi2 == pytest.approx(chi2, rel=1e-7, abs=1e-9)
    assert whole.dof == dof
