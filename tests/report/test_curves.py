"""Curves: the numbers of the workbook, drawn at one scale, safe to put into a page."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import mfa
from mfa.report import curves, rates
from mfa.report.document import edition, render
from mfa.report.indicators import indicator_values
from mfa.report.page import Page
from mfa.report.projection import projection_table
from tests.scenarios.futures import loop, rows, system

ROOT = Path(__file__).parents[2]
LIFE = {"process": ["Use"], "distribution": ["weibull"], "mean": [9.0], "sd": [4.0]}


@pytest.fixture(scope="module")
def futures():
    out = {}
    for name, much in (("S", 1.5), ("<b>$x & </svg>", 3.0)):
        scenario = rows(("flow", "goods", 2026, "multiply", much, "linear"))
        system = loop(scenarios=scenario, lifetimes=pd.DataFrame(LIFE))
        out[name] = mfa.project(system, "S", 2030)
    return out


def areas(axes, years: int) -> list[np.ndarray]:
    """Return the height of each stacked area by year, read off the drawing."""
    heights = []
    for area in axes.collections:
        x, y = area.get_paths()[0].vertices.T
        heights.append(
            np.array([np.ptp(y[np.isclose(x, year)]) for year in sorted(set(x.round(9)))])[:years]
        )
    return heights


def test_pictures_show_the_numbers_of_the_workbook(futures):
    table = projection_table(futures)
    drawn = curves.panels(futures, "Cu")
    assert [panel.quantity for panel in drawn] == ["stock by age", "inflow by end use", "supply"]
    picture = curves.figure(futures, "Cu")
    assert isinstance(picture, Figure)
    grid = np.array(picture.axes).reshape(len(drawn) + 1, len(futures))
    for row, panel in zip(grid[:-1], drawn, strict=True):
        scales = {axes.get_ylim() for axes in row}
        assert len(scales) == 1
        for axes, name in zip(row, futures, strict=True):
            seen = areas(axes, 11)
            for part, height in zip(panel.parts, seen, strict=True):
                chosen = (table["scenario"] == name) & (table["quantity"] == panel.quantity)
                rows_ = table[chosen & (table["part"] == part)].groupby("year")["value"].sum()
                assert height == pytest.approx(rows_.to_numpy(), abs=1e-9)
            total = sum(seen)
            assert total.max() <= axes.get_ylim()[1]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_svg_is_whole_and_asks_for_nothing(futures, lang):
    text = curves.as_svg(futures, "Cu", lang)
    root = ElementTree.fromstring(text)  # our own
    assert root.tag.endswith("svg")
    assert "<style" not in text
    assert "<metadata" not in text
    links = [value for item in root.iter() for name, value in item.attrib.items() if "href" in name]
    assert all(link.startswith("#") for link in links)
    words = "".join(root.itertext())
    assert "<b>$x & </svg>" in words
    assert ("Stock in use by age" if lang == "en" else "使用中ストック") in words
    assert curves.as_svg(futures, "Cu", lang) == text


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_png(futures, lang):
    picture = curves.as_png(futures, "Cu", lang)
    assert picture.startswith(b"\x89PNG")
    assert curves.as_png(futures, "Cu", lang) == picture


def test_nothing_to_show(futures):
    assert curves.as_svg(futures, "Zn", "en") == ""
    assert curves.as_png(futures, "Zn", "en") == b""


def test_many_end_uses_share_the_last_colour():
    names = [f"use {k}" for k in range(12)]
    processes = [("Mine", "mining", "source"), *((name, "use", None, "yes") for name in names)]
    flows = [(f"to {n}", "Mine", n, "product", 5.0 + k) for k, n in enumerate(names)]
    future = mfa.project(system(processes, flows), None, 2022)
    (panel,) = [p for p in curves.panels({"": future}, "Cu") if p.quantity == "inflow by end use"]
    assert panel.parts[-1] == "others"
    assert panel.parts[0] == "use 11"
    total = panel.values[""].sum(axis=1)
    assert total.to_numpy() == pytest.approx(sum(5.0 + k for k in range(12)))


def test_a_row_of_its_own_where_there_are_several_end_uses():
    processes = [("Mine", "mining", "source"), *((n, "use", None, "yes") for n in ("A", "B"))]
    flows = [(f"to {n}", "Mine", n, "product", 5.0) for n in ("A", "B")]
    life = pd.DataFrame({"process": ["A", "B"], "distribution": "fixed", "mean": [4.0, 9.0]})
    future = mfa.project(system(processes, flows, lifetimes=life), None, 2025)
    shown = [panel.quantity for panel in curves.panels({"": future}, "Cu")]
    assert "stock by end use" in shown


def collected() -> mfa.Projection:
    scenario = rows(
        ("coefficient", "collection", 2026, "set", 0.9, "linear"),
        ("coefficient", "cuttings", 2023, "set", 0.3, "step"),
    )
    return mfa.project(loop(scenarios=scenario), "S", 2040)


def test_rates_are_those_of_all_years():
    future = collected()
    table = rates.rate_table(future)
    every = future.indicators.set_index(["indicator", "substance", "year"])
    for row in table.to_dict("records"):
        full = every.loc[(row["indicator"], row["substance"], row["year"])]
        assert row["value"] == pytest.approx(full["value"], rel=1e-9)
    years = sorted(set(table["year"]))
    assert {2020, 2023, 2026, 2040} <= set(years)
    assert len(years) < 12
    assert set(table["indicator"]) == {"recycling_input_rate_total", "eol_recycling_rate"}


def test_the_picture_of_rates_is_in_the_workbook():
    futures = {"plain": mfa.project(loop(), None, 2040), "S": collected()}
    table = projection_table(futures, with_indicators=False)
    table = table[table["quantity"] == "indicator"]
    row = rates.rate_row(futures, "Cu")
    assert row is not None
    picture = curves.figure(futures, "Cu")
    assert picture is not None
    last = picture.axes[-2:]
    assert last[0].get_ylim() == last[1].get_ylim()
    assert last[0].get_ylim()[1] > 100 * table["value"].max()
    for axes, name in zip(last, futures, strict=True):
        lines = axes.get_lines()
        assert len(lines) == len(row.names) == 2
        for line, indicator in zip(lines, row.names, strict=True):
            mine = table[(table["scenario"] == name) & (table["item"] == indicator)]
            assert line.get_xdata().tolist() == mine["year"].tolist()
            assert line.get_ydata() == pytest.approx(100 * mine["value"].to_numpy())


def test_rates_that_no_scenario_changes_are_not_drawn():
    assert rates.rate_row({"": mfa.project(loop(), None, 2030)}, "Cu") is None


def test_a_range_is_an_area():
    japan = mfa.reconcile(mfa.read_tables(ROOT / "flows" / "copper-japan"))
    futures = {"STEPS and scrap kept": mfa.project(japan, "STEPS and scrap kept", 2030)}
    row = rates.rate_row(futures, "Cu")
    assert row is not None
    assert row.names[-1] == "self_sufficiency"
    table = rates.rate_rows(futures["STEPS and scrap kept"])
    ends = table[table["item"] == "self_sufficiency"].set_index(["year", "how"])["value"]
    assert ends.loc[(2030, "low")] < ends.loc[(2030, "high")]
    picture = curves.figure(futures, "Cu")
    assert picture is not None
    area = picture.axes[-1].collections[0].get_paths()[0].vertices
    seen = area[np.isclose(area[:, 0], 2030)][:, 1]
    assert seen.min() == pytest.approx(100 * ends.loc[(2030, "low")])
    assert seen.max() == pytest.approx(100 * ends.loc[(2030, "high")])
    assert "(range)" in curves.as_svg(futures, "Cu", "en")
    assert "（" in curves.as_svg(futures, "Cu", "ja")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_many_years_are_shown_in_part(lang):
    """The world's copper since 1900: of thirteen years the tables across show six."""
    balance = mfa.reconcile(mfa.read_tables(ROOT / "flows" / "copper-history"))
    assert len(balance.system.years) == 13
    page = Page(balance, lang)
    shown = [year for year, _ in indicator_values(page)["columns"]]
    assert shown == [1900, 1920, 1950, 1970, 2000, 2015]
    text = render([edition(balance, lang)])
    assert text.count(page.words["years_left_out"]) >= 2


def test_few_years_are_all_shown():
    balance = mfa.reconcile(mfa.read_tables(ROOT / "flows" / "copper-world"))
    assert Page(balance, "en").words["years_left_out"] not in render([edition(balance, "en")])
