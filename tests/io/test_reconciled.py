"""A results workbook as an input with its results as exact values."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import openpyxl
import pytest

import mfa
from tests.system import books

FLOWS = Path(__file__).parents[2] / "flows"
TABLES = ("flows", "stocks", "coefficients", "compositions")
COEFFICIENT = ["coefficient", "flow", "of", "value", "unit", "sd"]
STATEMENT = ["observation", "flow", "factor", "year", "relation", "value", "unit", "sd", "include"]


def goods() -> books.Tables:
    """Return ore and metal in goods and copper, with one copper content that is uncertain."""
    head = ["flow", "from", "to", "substance", "year", "value", "unit", "sd"]
    rows = [
        ["ore", "Mine", "Smelter", "goods", 2018, 330, "kt/yr", 9],
        ["ore", "Mine", "Smelter", "Cu", 2018, None, None, None],
        ["metal", "Smelter", "Market", "goods", 2018, 97, "kt/yr", 1],
        ["metal", "Smelter", "Market", "Cu", 2018, 95, "kt/yr", 2],
        ["slag", "Smelter", "Market", "goods", 2018, None, None, None],
        ["slag", "Smelter", "Market", "Cu", 2018, 3.5, "kt/yr", 1],
    ]
    shares = [["flow", "substance", "year", "value", "unit", "sd"], ["ore", "Cu", None, 31, "%", 2]]
    return books.small(flows=[head, *rows], compositions=shares, stocks=None)


def edge_cases() -> dict[str, books.Tables]:
    say = ["s", "ore", 2, 2018, "=", 290, "kt/yr", 9, None]
    return {
        "small": books.SMALL,
        "negative": books.with_column(books.put(books.SMALL, "flows!F2", -3), "flows", "min", -9),
        "bound": books.with_column(books.SMALL, "flows", "max", None, 80),
        "zero": books.put(books.put(books.SMALL, "flows!F4", 0), "flows!H4", 7),
        "excluded": books.with_column(books.SMALL, "flows", "include", "no"),
        "units": books.put(books.put(books.SMALL, "flows!G2", "Mt/yr"), "flows!F2", 0.1),
        "share": books.small(coefficients=[COEFFICIENT, ["k", "scrap", "metal", 40, "%", 3]]),
        "unknown share": books.small(
            coefficients=[COEFFICIENT, ["k", "scrap", "metal", *[None] * 3]]
        ),
        "goods": goods(),
        "sums": books.small(
            observations=[
                STATEMENT,
                say,
                ["s", "metal", 1, 2018, *[None] * 5],
                ["t", "ore", None, 2019, "=", 99, "kt/yr", 5, "no"],
                ["l", "scrap", None, 2018, "<=", 30000, "t/yr", None, None],
            ]
        ),
        "sum of unknowns": books.small(
            flows=[
                ["flow", "from", "to", "year", "value", "sd"],
                ["a", "Mine", "Smelter", 2018, None, None],
                ["b", "Mine", "Smelter", 2018, None, None],
                ["c", "Smelter", "Market", 2018, 17, 3],
            ],
            observations=[
                ["observation", "flow", "year", "value", "sd"],
                ["both", "a", 2018, 20, 1],
                ["both", "b", 2018, None, None],
            ],
            stocks=None,
        ),
    }


def pair(one: mfa.Balance, path: Path) -> tuple[mfa.System, mfa.Balance]:
    mfa.write_workbook(one, path)
    system = mfa.read_workbook(path, values="reconciled")
    return system, mfa.reconcile(system)


def assert_kept(one: mfa.Balance, two: mfa.Balance) -> None:
    """What was determined is fixed at its value, what was not is as open as before."""
    for name in TABLES:
        before, after = getattr(one, name), getattr(two, name)
        assert len(before) == len(after), name
        x, y = (table["value"].to_numpy(dtype=float) for table in (before, after))
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9, err_msg=name)
        open_ = (before["status"] == "undetermined").to_numpy()
        assert (after["status"] == "undetermined").tolist() == open_.tolist()
        for column in ("low", "high"):
            x, y = (table[column].to_numpy(dtype=float)[open_] for table in (before, after))
            np.testing.assert_allclose(x, y, rtol=1e-7, atol=1e-7)
        assert (after.loc[~open_, "sd"] == 0).all()
    assert two.chi2 == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("case", sorted(edge_cases()))
def test_results_are_taken_as_exact(case, tmp_path):
    one = mfa.reconcile(books.read(edge_cases()[case]))
    assert_kept(one, pair(one, tmp_path / "results.xlsx")[1])


@pytest.fixture(scope="module", params=mfa.cases())
def shipped(request, tmp_path_factory) -> tuple[mfa.Balance, Path]:
    """Return the balance of a shipped case, and its results workbook."""
    balance = mfa.reconcile(mfa.read_workbook(FLOWS / f"{request.param}.xlsx"))
    path = tmp_path_factory.mktemp("shipped") / "results.xlsx"
    mfa.write_workbook(balance, path)
    return balance, path


def test_shipped_cases(shipped):
    one, path = shipped
    system = mfa.read_workbook(path, values="reconciled")
    two = mfa.reconcile(system)
    assert not system.problems
    assert_kept(one, two)
    known = one.flows[one.flows["value"].notna()]
    given = system.data.set_index(["flow", "substance", "year"])["value"]
    keys = list(zip(known["flow"], known["substance"], known["year"], strict=True))
    assert given.loc[keys].tolist() == known["value"].tolist()  # to the last bit


def test_shipped_cases_come_back_from_their_results_as_observed(shipped):
    system, back = shipped[0].system, mfa.read_workbook(shipped[1])
    columns = ["flow", "substance", "year", "value", "sd", "min", "max", "include", "reference"]
    given = system.data[columns].reset_index(drop=True)
    again = back.data[columns].reset_index(drop=True)
    for name in columns:
        kept = given["value"].notna() if name in ("include", "reference") else slice(None)
        assert given.loc[kept, name].equals(again.loc[kept, name]), name
    keys = ["process", "substance", "year", "quantity"]
    stocks = back.stocks.set_index(keys)["value"]
    for row in system.stocks.dropna(subset="value").itertuples():
        assert stocks[row.process, row.substance, row.year, row.quantity] == row.value


def test_the_unknown_stays_unknown(tmp_path):
    book = books.small(stocks=[books.SMALL["stocks"][0], books.SMALL["stocks"][1]])
    one = mfa.reconcile(books.read(book))
    assert (one.flows["status"] == "undetermined").any()
    system, _ = pair(one, tmp_path / "results.xlsx")
    open_ = (one.flows["status"] == "undetermined").to_numpy()
    assert np.isnan(system.data["value"].to_numpy()[open_]).all()
    assert np.isnan(system.data["sd"].to_numpy()[open_]).all()
    assert not np.isnan(system.data["value"].to_numpy()[~open_]).any()


def test_a_free_discrepancy_may_be_negative(tmp_path):
    rows = [
        {"value": 9, "sd": 1},
        {"value": 14, "sd": 1, "from": "Smelter", "to": "Market"},
        {"from": "Smelter", "to": "Market", "role": "discrepancy"},
    ]
    one = mfa.reconcile(books.read(books.flows_book(*rows)))
    assert one.flows["value"][2] == pytest.approx(-5)
    assert_kept(one, pair(one, tmp_path / "results.xlsx")[1])


def test_results_of_results_are_results(tmp_path):
    one = mfa.reconcile(books.read(books.SMALL))
    _, two = pair(one, tmp_path / "one.xlsx")
    _, three = pair(two, tmp_path / "two.xlsx")
    assert_kept(one, three)


def test_an_exact_system_can_be_written_and_read_without_its_results(tmp_path):
    one = mfa.reconcile(books.read(books.SMALL))
    system, _ = pair(one, tmp_path / "results.xlsx")
    mfa.write_tables(system, tmp_path / "twin")
    back = mfa.read_tables(tmp_path / "twin")
    assert back.data["value"].tolist() == pytest.approx(one.flows["value"].tolist(), rel=1e-15)
    assert set(back.data["sd"]) == {0.0}
    assert not [problem for problem in back.problems if "unknown" in problem.what]


@pytest.mark.parametrize("values", ["observed", "reconciled"])
def test_places_of_problems_are_those_of_the_file(values, tmp_path):
    path = tmp_path / "results.xlsx"
    mfa.write_workbook(mfa.reconcile(books.read(books.SMALL)), path)
    book = openpyxl.load_workbook(path)
    headers = [cell.value for cell in book["flows"][1]]
    name = "observed" if values == "observed" else "value"
    cell = book["flows"].cell(3, headers.index(name) + 1)
    cell.value = "about 100"
    book.save(path)
    with pytest.raises(mfa.WorkbookError, match=f"flows!{cell.coordinate}:"):
        mfa.read_workbook(path, values=values)


def test_a_workbook_without_results_has_none_to_take(tmp_path):
    path = books.save(books.SMALL, tmp_path / "book.xlsx")
    with pytest.raises(mfa.WorkbookError, match="no results workbook") as caught:
        mfa.read_workbook(path, values="reconciled")
    assert len(caught.value.problems) == 1
    with pytest.raises(mfa.MFAError, match="'balanced'"):
        mfa.read_workbook(path, values="balanced")  # type: ignore[arg-type]


def test_nothing_is_rounded_on_the_way(tmp_path):
    frames = books.frames(books.SMALL)
    frames["flows"].loc[0, ["value", "sd"]] = [1 / 3, math.pi / 100]
    system = mfa.System.from_tables(frames)
    mfa.write_workbook(mfa.reconcile(system), tmp_path / "results.xlsx")
    data = mfa.read_workbook(tmp_path / "results.xlsx").data
    assert data["value"][0] == 1 / 3
    assert data["sd"][0] == math.pi / 100
