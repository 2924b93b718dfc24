"""Reconciliation problems from the literature, from the workbook to the printed answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import mfa

PROBLEMS: dict[str, dict[str, Any]] = {
    problem["id"]: problem
    for problem in json.loads(
        (Path(__file__).parent / "data" / "reconciliation.json").read_text(encoding="utf-8")
    )["problems"]
}
LINEAR = [name for name, problem in PROBLEMS.items() if "streams" in problem]
SIX_DIGITS, FOUR_DIGITS = 6e-7, 6e-5  # to which the separate solution is rounded
PRINTED = 0.005  # where the source prints two decimals and states no tolerance


def write(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    """Write a workbook."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def sheets(flows: list[list[Any]], nodes: list[str]) -> dict[str, list[list[Any]]]:
    """Return sheets for flows given as name, from, to, value and sd."""
    return {
        "system": [["key", "value"], ["format", 1], ["unit", "t/yr"], ["substances", "mass"]],
        "processes": [
            ["process", "kind"],
            ["from outside", "source"],
            ["to outside", "sink"],
            *([node, None] for node in nodes),
        ],
        "flows": [
            ["flow", "from", "to", "year", "value", "sd"],
            *([name, source, target, 2000, *datum] for name, source, target, *datum in flows),
        ],
    }


def reconciled(problem: dict[str, Any], folder: Path) -> mfa.Balance:
    """Write a linear problem as a workbook, read it, and reconcile it."""
    outside = {"source": "from outside", "target": "to outside"}
    flows = []
    for stream, value, sd in zip(
        problem["streams"], problem["measured"], problem["sd"], strict=True
    ):
        ends = [outside[end] if stream[end] == "ENV" else stream[end] for end in outside]
        flows.append([stream["name"], *ends, value, sd])
    path = write(folder / f"{problem['id']}.xlsx", sheets(flows, problem["nodes"]))
    return mfa.reconcile(mfa.read_workbook(path))


def test_every_problem_is_covered() -> None:
    assert {*LINEAR, "N01"} == set(PROBLEMS)
    assert len(LINEAR) == 8
    assert not any(any(PROBLEMS[name]["b"]) for name in LINEAR)


@pytest.mark.parametrize("name", LINEAR)
def test_linear(name: str, tmp_path: Path) -> None:
    problem = PROBLEMS[name]
    balance = reconciled(problem, tmp_path)
    flows = balance.flows.set_index("flow").loc[[s["name"] for s in problem["streams"]]]
    printed, computed = problem["published"]["reconciled"], problem["computed"]
    if "tolerance_hint" in problem:
        np.testing.assert_allclose(flows["value"], printed, rtol=problem["tolerance_hint"])
    else:
        np.testing.assert_allclose(flows["value"], printed, rtol=0, atol=PRINTED)
    np.testing.assert_allclose(flows["value"], computed["reconciled"], rtol=0, atol=SIX_DIGITS)
    np.testing.assert_allclose(flows["sd"], computed["sd"], rtol=0, atol=SIX_DIGITS)
    assert balance.chi2 == pytest.approx(computed["global_test_chi2"], abs=SIX_DIGITS)
    assert balance.dof == computed["dof"]


@pytest.mark.parametrize("name", LINEAR)
def test_tests_of_single_data_and_balances(name: str, tmp_path: Path) -> None:
    problem = PROBLEMS[name]
    balance = reconciled(problem, tmp_path)
    wanted = problem["computed"]["measurement_test_z"]
    data = balance.suspects[balance.suspects["kind"] == "datum"].set_index("item")["z"]
    if wanted is None:
        assert data.empty
    else:
        names = [stream["name"] for stream in problem["streams"]]
        np.testing.assert_allclose(data.loc[names], wanted, rtol=0, atol=FOUR_DIGITS)
    nodal = problem["computed"].get("nodal_test_z")
    if nodal:
        rows = balance.processes.set_index("process").loc[problem["nodes"]]
        np.testing.assert_allclose(rows["residual_z"], nodal, rtol=0, atol=FOUR_DIGITS)


@pytest.mark.parametrize("name", [name for name in LINEAR if PROBLEMS[name]["gross_error"]])
def test_the_gross_error_is_found(name: str, tmp_path: Path) -> None:
    balance = reconciled(PROBLEMS[name], tmp_path)
    assert balance.suspects["item"].iat[0] in PROBLEMS[name]["gross_error"]["streams"]


def test_statuses_with_two_of_six_flows_measured(tmp_path: Path) -> None:
    wanted = {"measured, non-redundant": "measured", "observable": "calculated"}
    problem = PROBLEMS["L04e"]
    status = reconciled(problem, tmp_path).flows.set_index("flow")["status"]
    assert dict(status) == {
        name: wanted[kind] for name, kind in problem["computed"]["classification"].items()
    }


N01_ENDS = {
    "m1": ("from outside", "P1"),
    "m2": ("from outside", "P1"),
    "m3": ("P1", "P2"),
    "m4": ("P2", "P1"),
    "m5": ("P2", "P3"),
    "m6": ("P3", "to outside"),
    "m7": ("P3", "to outside"),
}


def uncertain_coefficient(
    folder: Path, **more: list[list[Any]]
) -> tuple[dict[str, Any], mfa.Balance]:
    """Return the problem with an uncertain transfer coefficient, and its balance."""
    problem = PROBLEMS["N01"]
    data = {name: (value, 0.0) for name, value in problem["constants"].items()}
    data |= {name: (value, problem["sd"][name]) for name, value in problem["measured"].items()}
    flows = [[name, *ends, *data.get(name, (None, None))] for name, ends in N01_ENDS.items()]
    coefficient = ["tc34", "m4", *data["tc34"]]
    book = sheets(flows, ["P1", "P2", "P3"]) | more
    book["coefficients"] = [["coefficient", "flow", "value", "sd"], coefficient]
    path = write(folder / "N01.xlsx", book)
    return problem, mfa.reconcile(mfa.read_workbook(path))


def test_uncertain_transfer_coefficient(tmp_path: Path) -> None:
    problem, balance = uncertain_coefficient(tmp_path)
    rows = balance.flows.set_index("flow")
    share = balance.coefficients.iloc[0]
    assert share["coefficient"] == "tc34"
    published = problem["published"]
    for name, value in published["reconciled"].items():
        row = share if name == "tc34" else rows.loc[name]
        assert row["value"] == pytest.approx(value, abs=SIX_DIGITS), name
    for name, sd in published["sd"].items():
        row = share if name == "tc34" else rows.loc[name]
        assert row["sd"] == pytest.approx(sd, abs=SIX_DIGITS), name
    assert rows.at["m2", "sd"] == 0.0
    assert balance.chi2 == pytest.approx(problem["computed"]["global_test_chi2"], abs=SIX_DIGITS)
    assert balance.dof == 2
    statuses = {"m1": "reconciled", "m2": "fixed", "m3": "reconciled", "m5": "reconciled"}
    statuses |= {"m4": "calculated", "m6": "undetermined", "m7": "undetermined"}
    assert dict(rows["status"]) == statuses
    assert share["status"] == "reconciled"
    assert np.isnan(rows.loc[["m6", "m7"], "value"]).all()
    np.testing.assert_allclose(rows.loc[["m6", "m7"], "low"], 0.0, atol=1e-9)
    np.testing.assert_allclose(rows.loc[["m6", "m7"], "high"], rows.at["m5", "value"], rtol=1e-9)


def test_uncertain_transfer_coefficient_with_equal_outflows(tmp_path: Path) -> None:
    observations = [
        ["observation", "flow", "factor", "year", "value", "sd"],
        ["halves", "m6", 1, 2000, 0, 0],
        ["halves", "m7", -1, 2000, None, None],
    ]
    problem, balance = uncertain_coefficient(tmp_path, observations=observations)
    rows, wanted = (
        balance.flows.set_index("flow"),
        problem["published"]["variant_m6_equals_m7"],
    )
    for name in ("m6", "m7"):
        assert rows.at[name, "value"] == pytest.approx(wanted[name], abs=SIX_DIGITS)
        assert rows.at[name, "sd"] == pytest.approx(wanted["sd"], abs=SIX_DIGITS)
        assert rows.at[name, "status"] == "calculated"
