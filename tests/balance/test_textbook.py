"""The engine against a dense second implementation, on random linear systems of every kind."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm

import mfa

from . import dense
from .cases import Case, Key, random_case
from .results import near, results
from .textbook import balances, included, pose

MANY = range(70)
SOME = range(30)


@cache
def both(seed: int) -> tuple[Case, mfa.Balance, dense.Answer]:
    case = random_case(seed)
    return case, mfa.reconcile(case.system()), dense.solve(pose(case))


@pytest.mark.parametrize("seed", MANY)
def test_values_and_statuses(seed: int) -> None:
    _, balance, answer = both(seed)
    table = results(balance)
    sds = np.sqrt(np.diag(answer.covariance))
    assert not balance.is_approximate
    seen = 0
    columns = zip(answer.problem.keys, dense.statuses(answer), answer.x, sds, strict=True)
    for key, status, value, sd in columns:
        if key not in table:
            assert key[0] == "level"  # an opening stock that nobody speaks of
            continue
        row = table[key]
        seen += 1
        assert row["status"] == status, key
        if status == "undetermined":
            assert np.isnan(row["value"])
            assert np.isnan(row["sd"])
        else:
            assert near(row["value"], value), key
            assert near(row["sd"], sd), key
            low, high = answer.problem.bounds(key)
            assert near(row["low"], max(value - 1.96 * sd, low)), key
            assert near(row["high"], min(value + 1.96 * sd, high)), key
    assert seen == len(balance.flows) + len(balance.stocks)


@pytest.mark.parametrize("seed", MANY)
def test_global_test(seed: int) -> None:
    _, balance, answer = both(seed)
    assert balance.dof == answer.dof
    assert near(balance.chi2, answer.chi2)
    if answer.dof:
        assert near(balance.p_value, float(chi2.sf(answer.chi2, answer.dof)))
    else:
        assert np.isnan(balance.p_value)


@pytest.mark.parametrize("seed", MANY)
def test_observed_sums(seed: int) -> None:
    _, balance, answer = both(seed)
    table = results(balance)
    for label, row, spare in zip(
        answer.problem.labels, answer.problem.rows, answer.spare, strict=True
    ):
        if label[0] != "observation":
            continue
        found = table[label]
        assert near(found["value"], float(row @ answer.x)), label
        assert near(found["sd"], float(np.sqrt(max(row @ answer.covariance @ row, 0.0)))), label
        assert found["status"] == ("reconciled" if spare else "measured"), label


@pytest.mark.parametrize("seed", SOME)
def test_covariance(seed: int) -> None:
    _, balance, answer = both(seed)
    index = [i for i, key in enumerate(answer.problem.keys) if key[0] == "flow"]
    items = [answer.problem.keys[i][1:] for i in index]
    found = balance.covariance(items).to_numpy()
    sound = answer.determined[index]
    assert np.isnan(found[~sound]).all()
    assert np.isnan(found[:, ~sound]).all()
    wanted = answer.covariance[np.ix_(index, index)][np.ix_(sound, sound)]
    sd = np.sqrt(np.diag(wanted))
    off = np.abs(found[np.ix_(sound, sound)] - wanted)
    assert (off <= 1e-8 * (1.0 + np.outer(sd, sd))).all()


@pytest.mark.parametrize("seed", SOME)
def test_share_of_assumptions(seed: int) -> None:
    _, balance, answer = both(seed)
    table = results(balance)
    shares = zip(answer.problem.keys, answer.determined, dense.assumed(answer), strict=True)
    for key, determined, share in shares:
        if determined and key in table:
            assert near(table[key]["assumed"], share), key


@pytest.mark.parametrize("seed", MANY)
def test_suspects(seed: int) -> None:
    case, balance, answer = both(seed)
    problem = answer.problem
    data = balance.suspects[balance.suspects["kind"] == "datum"]
    kind = data["quantity"]
    found = dict(
        zip(
            zip(kind, data["item"], data["substance"], data["year"], strict=True),
            data.to_dict("records"),
            strict=True,
        )
    )
    checked = np.flatnonzero(answer.spare > dense.FAINT)
    assert set(found) == {problem.labels[k] for k in checked}
    table = results(balance)
    for k in checked:
        label, spare, sd = problem.labels[k], answer.spare[k], problem.sd[k]
        row = found[label]
        digits = 1e-8 / spare  # 1 − h loses what h and 1 have in common
        assert near(row["z"], answer.z[k], tolerance=digits), label
        assert near(row["p_value"], 2 * norm.sf(abs(answer.z[k])), tolerance=digits), label
        wanted = problem.y[k] - sd * answer.residual[k] / spare
        assert near(row["should_be"], wanted, tolerance=digits), label
        assert row["observed"] == pytest.approx(problem.y[k], rel=1e-14), label
        change = -sd * answer.residual[k] / spare
        assert near(row["change"], change, size=abs(wanted) + 1.0, tolerance=digits), label
        reach = norm.ppf(0.975) * sd / np.sqrt(spare)
        assert near(table[label]["detectable"], reach, tolerance=digits), label
        same = {_name(case, other) for other in dense.alike(answer, label)} - {_name(case, label)}
        assert set(filter(None, row["same_as"].split(", "))) == same, label
    gone = dense.eliminated(problem)
    order = list(found)
    assert order[: len(gone)] == gone
    rest = [abs(found[label]["z"]) for label in order[len(gone) :]]
    assert all(a >= b - 1e-9 for a, b in pairwise(rest))


def _name(case: Case, label: Key) -> str:
    """Return how suspects name a datum: which stock, substance, year if not the only one."""
    kind, item, substance, year = label
    layers = {row["substance"] for row in case.flows}
    parts = [kind] * (kind in ("level", "change"))
    parts += [substance] * (len(layers) > 1) + [str(year)] * (case.years != [year])
    return " ".join([item, *parts])


@pytest.mark.parametrize("seed", SOME)
def test_leaks(seed: int) -> None:
    case, balance, answer = both(seed)
    leaks = balance.suspects[balance.suspects["kind"] == "leak"]
    names = zip(leaks["item"], leaks["substance"], leaks["year"], strict=True)
    found = dict(zip(names, leaks.to_dict("records"), strict=True))
    for number, place in list(enumerate(balances(case)))[:10]:
        wanted = dense.leak(answer.problem, number)
        assert (place in found) == (wanted is not None and wanted[1] > 1e-9), place
        if place in found and wanted is not None:
            size, sd = wanted
            assert near(found[place]["should_be"], size, tolerance=1e-7), place
            assert near(found[place]["z"], size / sd, tolerance=1e-6), place


@pytest.mark.parametrize("seed", SOME)
def test_residuals(seed: int) -> None:
    case, balance, _ = both(seed)
    rows = balance.processes.set_index(["process", "substance", "year"])
    assert set(rows.index) == set(balances(case))
    assert (rows["residual"].abs() <= 1e-9 * rows["throughput"].clip(lower=1e-3)).all()
    for place, row in rows.iterrows():
        before, sd = _gap(case, *place)
        assert (
            near(row["residual_before"], before) or np.isnan([row["residual_before"], before]).all()
        )
        if not np.isnan(before) and sd:
            assert near(row["residual_z"], before / sd), place
        inputs, outputs, change = row[["inputs", "outputs", "stock_change"]]
        if not np.isnan([inputs, outputs, change]).any():
            assert near(inputs - outputs, change), place


def _gap(case: Case, process: str, substance: str, year: int) -> tuple[float, float]:
    """Return inputs − outputs − change with the data as they are, and its sd."""
    total, variance = 0.0, 0.0
    for row in case.flows:
        if (row["substance"], row["year"]) == (substance, year) and process in (
            row["from"],
            row["to"],
        ):
            sign = int(row["to"] == process) - int(row["from"] == process)
            if not sign:
                continue
            total += sign * (row["value"] if included(row) else np.nan)
            variance += row["sd"] ** 2 if included(row) else np.nan
    if next(row for row in case.processes if row["process"] == process)["stock"] != "yes":
        return total, float(np.sqrt(variance))
    given = {
        (row["quantity"], row["year"]): row
        for row in case.stocks
        if (row["process"], row["substance"]) == (process, substance) and included(row)
    }
    step = case.step(year)
    change, after, before = (
        given.get(key, {"value": np.nan, "sd": np.nan})
        for key in (("change", year), ("level", year), ("level", int(year - step)))
    )
    if np.isnan(change["value"]):
        total -= (after["value"] - before["value"]) / step
        return total, float(np.sqrt(variance + (after["sd"] ** 2 + before["sd"] ** 2) / step**2))
    return total - change["value"], float(np.sqrt(variance + change["sd"] ** 2))


def test_the_random_systems_have_every_kind() -> None:
    """What is not in them is not tested."""
    statuses: set[str] = set()
    cases = [both(seed)[0] for seed in MANY]
    for seed in MANY:
        statuses |= set(both(seed)[1].flows["status"])
    assert statuses == {"fixed", "measured", "reconciled", "calculated", "undetermined"}
    assert any(row["substance"] == "goods" for case in cases for row in case.flows)
    assert any(len(case.substances) > 1 for case in cases)
    for sheet in ("stocks", "observations", "coefficients", "compositions"):
        assert sum(bool(getattr(case, sheet)) for case in cases) > 5, sheet
    assert sum(max(map(case.step, case.years)) > 1 and bool(case.stocks) for case in cases) > 5
    pairs = [(row["flow"], row["from"], row["to"]) for case in cases for row in case.flows]
    frame = pd.DataFrame(pairs, columns=["flow", "from", "to"])
    assert frame.groupby(["from", "to"])["flow"].nunique().max() > 1
    terms = [row for case in cases for row in case.observations]
    assert any(row["include"] == "no" for row in terms if row.get("include"))
    assert any(row["quantity"] == "level" for row in terms)
