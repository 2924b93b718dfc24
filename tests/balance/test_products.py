"""Coefficients and compositions as unknowns: the engine against a general solver."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import mfa

from . import dense
from .cases import Case, Row, flow, processes
from .goods import random_goods
from .nonlinear import linearised, optimum
from .results import near, results
from .textbook import Problem, pose

SEEDS = range(30)
TIED = (87, 104, 149, 343)  # products that follow from others


@cache
def solved(seed: int) -> tuple[mfa.Balance, Problem, np.ndarray, dense.Answer]:
    """Return the balance, the problem, its optimum, and the linear answer there."""
    case, truth = random_goods(seed)
    problem = pose(case)
    x = optimum(problem, truth.start(problem))
    assert x.min() > 0.0, "a bound holds, of which the general solver does not know"
    return mfa.reconcile(case.system()), problem, x, dense.solve(linearised(problem, x))


@pytest.mark.parametrize("seed", [*SEEDS, *TIED])
def test_values_sd_and_statuses(seed: int) -> None:
    balance, problem, x, answer = solved(seed)
    table = results(balance)
    sds = np.sqrt(np.diag(answer.covariance))
    columns = zip(problem.keys, dense.statuses(answer), answer.determined, x, sds, strict=True)
    assert not balance.is_approximate
    for key, status, determined, value, sd in columns:
        row = table[key]
        assert row["status"] == status, key
        if determined:
            assert near(row["value"], value, size=0.1, tolerance=1e-6), key
            assert near(row["sd"], sd, size=0.01, tolerance=1e-6), key
        else:
            assert np.isnan(row["value"]), key
    assert near(balance.chi2, answer.chi2)
    assert balance.dof == answer.dof


@pytest.mark.parametrize("seed", [*SEEDS, *TIED])
def test_products_hold(seed: int) -> None:
    balance, problem, _, _ = solved(seed)
    table = results(balance)
    x = np.array([table[key]["value"] for key in problem.keys])
    seen = 0
    for number, share, of in problem.products:
        if not np.isnan([x[number], x[share], *x[of]]).any():
            assert x[number] == pytest.approx(x[share] * x[of].sum(), rel=1e-9)
            seen += 1
    assert seen
    rows = balance.processes
    assert (rows["residual"].abs() <= 1e-9 * rows["throughput"]).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_tests_of_single_data(seed: int) -> None:
    """At the solution a product is its tangent: the linear answer there says what stands out."""
    balance, problem, _, answer = solved(seed)
    table = results(balance)
    suspects = balance.suspects[balance.suspects["kind"] == "datum"]
    keys = ("quantity", "item", "substance", "year")
    columns = [suspects[name].fillna(0 if name == "year" else "").tolist() for name in keys]
    found = dict(zip(zip(*columns, strict=True), suspects.to_dict("records"), strict=True))
    for k, label in enumerate(problem.labels):
        if not answer.redundant[k]:
            assert label not in found
            assert np.isnan(table[label]["detectable"])
        elif answer.spare[k] > 1e-4:
            row, digits = found[label], 1e-5 / answer.spare[k]
            assert near(row["z"], answer.z[k], tolerance=digits), label
            change = -problem.sd[k] * answer.residual[k] / answer.spare[k]
            size = problem.sd[k] / answer.spare[k]
            assert near(row["change"], change, size=size, tolerance=digits), label
            assert near(row["should_be"], row["observed"] + change, size=size, tolerance=digits)
            reach = 1.959964 * problem.sd[k] / np.sqrt(answer.spare[k])
            assert near(table[label]["detectable"], reach, tolerance=digits), label
            assert pd.isna(row["year"]) == (label[3] == 0)


def test_the_random_systems_have_every_kind() -> None:
    rows = [row for seed in SEEDS for row in _shares(random_goods(seed)[0])]
    assert any(row["value"] is None for row in rows)
    assert any(row["sd"] == 0 for row in rows)
    assert any(row["year"] is None for row in rows)
    assert any("," in row["flow"] for row in rows)
    assert {"inputs", "outputs"} < {row.get("of") for row in rows}
    statuses = {row["status"] for seed in SEEDS for row in results(solved(seed)[0]).values()}
    assert statuses == {"fixed", "measured", "reconciled", "calculated", "undetermined"}


def _shares(case: Case) -> list[Row]:
    return [*case.coefficients, *case.compositions]


def goods(name: str, source: str, target: str, **more: object) -> Row:
    return flow(name, source, target, **more) | {"substance": "goods"}


def composition(name: str, value: float | None = None, sd: float | None = None) -> Row:
    return {"flow": name, "substance": "Cu", "year": None, "value": value, "sd": sd}


def coefficient(name: str, of: str, value: float | None = None, sd: float | None = None) -> Row:
    row = {"coefficient": f"share of {name}", "flow": name, "of": of, "substance": None}
    return row | {"year": None, "value": value, "sd": sd}


def test_two_shares_of_one_process_for_goods_and_substance() -> None:
    """c₁ + c₂ = 1 follows for goods and again for copper: one of four products says nothing new.

    In 100 ± 5 of goods, of which 30 ± 3 copper; shares 0.72 ± 0.06 and 0.40 ± 0.02 are 0.12 too
    much, of which the first takes 36/40. Goods and copper are what they are: nothing checks them.
    """
    rows = [
        goods("in", "Mine", "Plant", value=100.0, sd=5.0),
        flow("in", "Mine", "Plant", value=30.0, sd=3.0),
        goods("a", "Plant", "Market"),
        flow("a", "Plant", "Market"),
        goods("b", "Plant", "Market"),
        flow("b", "Plant", "Market"),
    ]
    shares = [coefficient("a", "inputs", 0.72, 0.06), coefficient("b", "inputs", 0.40, 0.02)]
    balance = mfa.reconcile(Case(processes("Plant"), rows, coefficients=shares).system())
    table = results(balance)
    assert table["flow", "in", "goods", 2018]["value"] == pytest.approx(100.0)
    assert table["flow", "in", "Cu", 2018]["value"] == pytest.approx(30.0)
    share = table["coefficient", "share of a", "", 0]
    assert share["value"] == pytest.approx(0.612)
    assert share["sd"] == pytest.approx(1.0 / np.hypot(1 / 0.06, 1 / 0.02))
    assert share["status"] == "reconciled"
    assert table["flow", "a", "goods", 2018]["value"] == pytest.approx(61.2)
    assert table["flow", "b", "Cu", 2018]["value"] == pytest.approx(0.388 * 30.0)
    assert balance.chi2 == pytest.approx(0.12**2 / (0.06**2 + 0.02**2))
    assert balance.dof == 1


def test_what_is_undetermined_moves_nothing() -> None:
    """An unknown composition of goods that nobody measures: the rest is as without it."""
    rows = [
        flow("ore", "Mine", "Plant", value=100.0, sd=4.0),
        flow("metal", "Plant", "Market", value=95.0, sd=2.0),
        flow("more", "Mine", "Shop"),
        flow("sold", "Shop", "Market"),
        goods("more", "Mine", "Shop"),
        goods("sold", "Shop", "Market"),
    ]
    case = Case(processes("Plant", "Shop"), rows, compositions=[composition("more")])
    balance = mfa.reconcile(case.system())
    table = balance.flows.set_index(["flow", "substance"])
    np.testing.assert_allclose(table.loc[["ore", "metal"], "value"], 96.0, rtol=1e-10)
    assert set(table.loc[["more", "sold"], "status"]) == {"undetermined"}
    share = balance.compositions.iloc[0]
    assert share["status"] == "undetermined"
    assert share["low"] == 0.0
    assert np.isnan(share["high"])


@pytest.mark.parametrize("least", [1e-6, 1.0, 1e6])
def test_a_ratio_of_two_data(least: float) -> None:
    """c = x/S exactly, sd² = (sd_x/S)² + (x sd_S/S²)², whatever the unit."""
    rows = [
        goods("a", "Mine", "Market", value=40.0 * least, sd=2.0 * least),
        flow("a", "Mine", "Market", value=9.0 * least, sd=0.3 * least),
    ]
    case = Case(processes(), rows, compositions=[composition("a")])
    share = mfa.reconcile(case.system()).compositions.iloc[0]
    assert share["value"] == pytest.approx(9.0 / 40.0, rel=1e-9)
    assert share["sd"] == pytest.approx(np.hypot(0.3 / 40.0, 9.0 * 2.0 / 1600.0), rel=1e-9)
    assert share["status"] == "calculated"


def test_a_composition_that_runs_away_is_named() -> None:
    """Goods of 0 ± 1 with 5 ± 1 copper in them: the fit is the better the richer they are."""
    rows = [
        goods("a", "Mine", "Plant", value=0.0, sd=1.0),
        flow("a", "Mine", "Plant", value=5.0, sd=1.0),
        goods("b", "Plant", "Market"),
        flow("b", "Plant", "Market"),
    ]
    case = Case(processes("Plant"), rows, compositions=[composition("a")])
    with pytest.raises(mfa.BalanceError, match="composition 'a/Cu'") as caught:
        mfa.reconcile(case.system())
    assert caught.value.rows == ("compositions!D2",)
    assert "wide sd" in str(caught.value)


def test_coefficients_that_run_away_are_named() -> None:
    """c = 1/c': both unknown, and what they tie together wants to be 0 and 2."""
    rows = [
        flow("a", "Mine", "Plant", value=10.0, sd=1.0),
        flow("b", "Plant", "Market", value=9.0, sd=1.0),
        flow("c", "Plant", "Market"),
        flow("d", "Plant", "Market", value=2.0, sd=0.5),
    ]
    shares = [coefficient("c", "d"), coefficient("d", "c")]
    case = Case(processes("Plant"), rows, coefficients=shares)
    with pytest.raises(mfa.BalanceError, match=r"coefficient 'share of [cd]'"):
        mfa.reconcile(case.system())


def test_an_exact_composition_that_clashes_is_named() -> None:
    rows = [
        goods("a", "Mine", "Market", value=40.0, sd=0.0),
        flow("a", "Mine", "Market", value=9.0, sd=0.0),
        goods("b", "Mine", "Market", value=3.0, sd=0.5),
        flow("b", "Mine", "Market", value=1.0, sd=0.5),
    ]
    shares = [composition("a", 0.25, 0.0), composition("b")]
    with pytest.raises(mfa.BalanceError, match="cannot all be true") as caught:
        mfa.reconcile(Case(processes(), rows, compositions=shares).system())
    assert len(caught.value.rows) == 3
