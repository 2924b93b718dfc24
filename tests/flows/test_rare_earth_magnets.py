"""Rare earths in magnets: which reading of "scrap 25–30 %" closes, and why scrap is two numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import mfa

FLOWS = Path(__file__).parents[2] / "flows"
CASE = "rare-earth-magnets"
SUBSTANCES = ("Nd+Pr", "Dy", "Tb")
WORLD_MINES = 376.0  # kt of rare-earth oxides, 2023: USGS, Mineral Commodity Summaries 2025


@pytest.fixture(scope="module")
def magnets() -> mfa.Balance:
    return mfa.reconcile(mfa.read_workbook(FLOWS / f"{CASE}.xlsx"))


@pytest.fixture(scope="module")
def variant(tables_of) -> Callable[..., mfa.Balance]:
    """Reconcile the case with another reading, another content, or old scrap left open."""

    def build(
        reading: str = "inputs",
        share: str = "27.5",
        content: tuple[str, str] = ("29", "2"),
        *,
        old_open: bool = False,
        recycled_known: bool = True,
    ) -> mfa.Balance:
        tables = tables_of(CASE)
        rows = tables["coefficients"].set_index("coefficient", drop=False)
        rows.loc["swarf share", ["of", "value"]] = [reading, share]
        if old_open:
            rows = rows.drop(index="end-of-life recycling")
        tables["coefficients"] = rows
        some = tables["compositions"]["substance"] == "Nd+Pr"
        tables["compositions"].loc[some, ["value", "sd"]] = content
        if not recycled_known:
            tables = without_recycled_oxides(tables)
        return mfa.reconcile(mfa.System.from_tables(tables))

    return build


def without_recycled_oxides(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Nd+Pr alone: without the oxides, nothing would say how much Dy and Tb there is."""
    out = {
        name: table[~table["substance"].isin(["Dy", "Tb"])] if "substance" in table else table
        for name, table in tables.items()
    }
    seen = out["observations"]
    out["observations"] = seen[~seen["observation"].str.startswith("recycled oxide")]
    settings = out["system"].set_index("key", drop=False)
    settings.loc["substances", "value"] = "Nd+Pr"
    return {**out, "system": settings}


def flow(balance: mfa.Balance, name: str, substance: str = "goods") -> pd.Series:
    return balance.flows.set_index(["flow", "substance"]).loc[(name, substance)]


def rate(balance: mfa.Balance, name: str) -> pd.Series:
    table = mfa.indicators(balance)
    return table[table["substance"] == "Nd+Pr"].set_index("indicator").loc[name]


def test_balances_close(magnets):
    table = magnets.processes
    assert (table["residual"].abs() <= 1e-9 * table["throughput"]).all()


def test_magnets_and_swarf_share_their_composition(magnets):
    for substance in SUBSTANCES:
        content = {
            flow(magnets, name, substance)["value"] / flow(magnets, name)["value"]
            for name in ("magnets", "swarf", "magnets_wind", "products_traction", "discarded")
        }
        assert max(content) == pytest.approx(min(content), rel=1e-8)


def test_the_shipped_reading_closes(magnets, page_of):
    assert magnets.dof == 2
    assert magnets.p_value > 0.9
    text = f"χ² = {magnets.chi2:.2f} on {magnets.dof} degrees of freedom, p = {magnets.p_value:.2f}"
    assert text in page_of(CASE)


def test_the_other_reading_does_not(magnets, variant, page_of):
    page = page_of(CASE)
    other = variant("magnets")
    assert other.dof == 2
    assert other.p_value < 0.05
    assert f"χ² = {other.chi2:.1f} on 2 degrees of freedom, p = {other.p_value:.2f}" in page
    made = flow(magnets, "magnets")["observed"]
    swarf = flow(magnets, "swarf")["value"]
    assert f"would be {0.275 * made:.0f} kt of swarf instead of {swarf:.0f} kt" in page


def test_the_verdict_does_not_hang_on_the_content(variant, page_of):
    low = ("25.2", "1.5")
    one, other = variant(content=low), variant("magnets", content=low)
    assert one.p_value > 0.05
    assert other.p_value < 0.001
    text = f"25.2 ± 1.5 % of the mass: {one.chi2:.1f} in the one reading and {other.chi2:.1f}"
    assert text in page_of(CASE)


def test_one_number_for_scrap_hides_the_wrong_reading(variant, page_of):
    page = page_of(CASE)
    wrong, right = variant("magnets", old_open=True), variant(old_open=True)
    assert wrong.dof == right.dof == 1
    assert wrong.chi2 == pytest.approx(right.chi2, abs=1e-6)
    assert f"χ² = {wrong.chi2:.2f} on 1: old scrap" in page
    taken, fair = flow(wrong, "old_scrap"), flow(right, "old_scrap")
    back = rate(wrong, "eol_recycling_rate")["value"]
    text = f"{taken['value']:.0f} ± {taken['sd']:.0f} kt, an end-of-life recycling rate of"
    assert f"{text} {100 * back:.0f} %" in page
    assert f"comes out as {fair['value']:.0f} ± {fair['sd']:.0f} kt." in page


def test_less_swarf_lowers_the_rate_and_saves_ore(variant, page_of):
    now, better = variant(recycled_known=False), variant(share="20", recycled_known=False)
    rates = [100 * rate(b, "recycling_input_rate_total")["value"] for b in (now, better)]
    ore = [flow(b, "oxide_primary", "Nd+Pr")["value"] for b in (now, better)]
    page = page_of(CASE)
    assert f"would fall from {rates[0]:.1f} to {rates[1]:.1f} %" in page
    assert f"although {100 * (1 - ore[1] / ore[0]):.1f} % less ore" in page


def test_the_tables_of_the_page(magnets, page_of):
    page = page_of(CASE)
    contents = magnets.compositions.set_index("substance")
    cells = [
        f"{100 * contents.loc[s, 'value']:.{d}f} ± {100 * contents.loc[s, 'sd']:.{d}f}"
        for s, d in zip(SUBSTANCES, (1, 2, 2), strict=True)
    ]
    assert f"| in magnets and swarf [%] | {' | '.join(cells)} |" in page
    for name, words in (
        ("oxide_primary", "oxides from ore, as metal"),
        ("swarf", "swarf"),
        ("oxide_recycled", "recycled oxides, as metal"),
    ):
        rows = [flow(magnets, name, s) for s in SUBSTANCES]
        cells = [
            f"{row['value']:.{d}f} ± {row['sd']:.{d}f}"
            for row, d in zip(rows, (1, 2, 2), strict=True)
        ]
        assert f"| {words} [kt/yr] | {' | '.join(cells)} |" in page
    for indicator, words, digits in (
        ("recycling_input_rate_total", "recycling input rate, all scrap", 1),
        ("recycling_input_rate_old", "recycling input rate, old scrap", 2),
        ("eol_recycling_rate", "end-of-life recycling rate", 2),
        ("old_scrap_ratio", "old scrap ratio", 1),
    ):
        row = rate(magnets, indicator)
        cell = f"{100 * row['value']:.{digits}f} ± {100 * row['sd']:.{digits}f}"
        assert f"| {words} | {cell} |" in page


def test_what_to_doubt(magnets, page_of):
    oxide = 1.1765 * flow(magnets, "oxide_primary", "Nd+Pr")["value"]
    page = page_of(CASE)
    assert f"would be {oxide:.0f} kt of Nd+Pr oxide" in page
    assert f"would take {100 * oxide / WORLD_MINES:.0f} % of it" in page
