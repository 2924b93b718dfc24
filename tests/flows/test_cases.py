"""The shipped cases: workbook and CSV twin agree, and their pages say what comes out."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import mfa

FLOWS = Path(__file__).parents[2] / "flows"
CASES = sorted(path.stem for path in FLOWS.glob("*.xlsx"))
SURPLUS = {2015: 72.9, 2016: 46.203, 2017: 8.766, 2018: -26.593, 2019: -44.28}


@pytest.fixture(scope="module")
def japan() -> mfa.Balance:
    return mfa.reconcile(mfa.read_workbook(FLOWS / "copper-japan.xlsx"))


@pytest.fixture(scope="module")
def free() -> mfa.Balance:
    return mfa.reconcile(mfa.read_workbook(FLOWS / "copper-japan-discrepancy.xlsx"))


def test_every_folder_has_its_workbook():
    folders = {path.parent.name for path in FLOWS.glob("*/flows.csv")}
    assert folders == set(CASES)
    assert len(CASES) == 2


@pytest.mark.parametrize("case", CASES)
def test_workbook_and_csv_twin_agree(case):
    book = mfa.read_workbook(FLOWS / f"{case}.xlsx")
    twin = mfa.read_tables(FLOWS / case)
    assert book.settings == twin.settings
    for name in ("processes", "flows", "data", "stocks", "observations"):
        pd.testing.assert_frame_equal(getattr(book, name), getattr(twin, name), check_dtype=False)


@pytest.mark.parametrize("case", CASES)
def test_every_number_has_a_reference_and_every_assumption_a_note_or_source(case):
    system = mfa.read_workbook(FLOWS / f"{case}.xlsx")
    assert not system.problems
    for table in (system.data, system.stocks):
        given = table[table["value"].notna()]
        assert (given["reference"] != "").all()
    first = system.observations[system.observations["value"].notna()]
    assert ((first["reference"] != "") | (first["basis"] == "assumption")).all()


def test_balances_close(japan):
    table = japan.processes
    assert (table["residual"].abs() <= 1e-9 * table["throughput"]).all()


def test_the_official_discrepancy_is_found_as_what_it_is(japan):
    market = japan.processes[japan.processes["process"] == "refined_market"].set_index("year")
    for year, surplus in SURPLUS.items():
        assert market.loc[year, "residual_before"] == pytest.approx(surplus, abs=5e-3)
    data = japan.suspects[japan.suspects["kind"] == "datum"]
    tied = data[data["z"].abs().round(6) == round(data["z"].abs().max(), 6)]
    assert set(tied["item"]) == {
        "refined_ore",
        "refined_scrap",
        "refined_import",
        "refined_export",
        "refined_to_wire",
        "refined_to_rolled",
        "refined_to_other",
        "refined_market",
    }
    assert set(tied["year"]) == {2014, 2015}
    assert not tied.set_index("item").loc["refined_import", "possible"]


def test_a_free_discrepancy_takes_up_what_was_open(free):
    found = free.flows[free.flows["flow"] == "discrepancy"].set_index("year")["value"]
    for year in (2015, 2016, 2017, 2019):
        assert found[year] == pytest.approx(SURPLUS[year], abs=5e-3)
    assert free.dof == 1


def test_misprinted_totals_fail(japan):
    z = japan.excluded.set_index("item")["z"]
    failing = set(z.index[z.abs() > 1.96])
    assert failing == {"printed total, wire 2016", "printed total, wire domestic 2017"}


def test_the_page_says_what_comes_out(japan, free):
    page = (FLOWS / "copper-japan.md").read_text(encoding="utf-8")
    assert (
        f"χ² = {japan.chi2:.1f} on {japan.dof} degrees of freedom, p = {japan.p_value:.5f}" in page
    )
    assert f"χ² is {free.chi2:.1f} on {free.dof} degree of freedom" in page
    rates = mfa.indicators(japan)
    for indicator, name in (
        ("recycling_input_rate_total", "recycling input rate, all scrap [%]"),
        ("recycled_share_refined", "recycled share of refined copper [%]"),
        ("eol_recycling_rate", "end-of-life recycling rate [%]"),
    ):
        rows = rates[rates["indicator"] == indicator].sort_values("year")
        cells = [
            f"{100 * r.value:.1f} ± {100 * r.sd:.1f}"
            if r.value == r.value
            else f"{100 * r.low:.0f}–{100 * r.high:.1f}"
            for r in rows.itertuples()
        ]
        assert f"| {name} | {' | '.join(cells)} |" in page
    open_ = free.flows[free.flows["flow"] == "discrepancy"].set_index("year")
    for year in (2015, 2019):
        text = f"{open_.loc[year, 'value']:+.1f} ± {open_.loc[year, 'sd']:.1f}".replace("-", "−")
        assert text in page
    best = mfa.survey(japan).iloc[0]
    widths = f"from {100 * best['width_now']:.0f} to {100 * best['width_then']:.0f}"
    assert best["item"] == "new_scrap"
    assert re.search(widths, page)
    stocks = japan.stocks.set_index(["process", "quantity", "year"])
    change = stocks.loc[("smelting_ore", "change", 2015)]
    assert f"(−{-change['value']:.0f} ± {change['sd']:.0f} kt)" in page
