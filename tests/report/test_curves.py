"""Curves: the numbers of the workbook, drawn at one scale, safe to put into a page."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import mfa
from mfa.report import curves
from mfa.report.projection import projection_table
from tests.scenarios.futures import loop, rows, system

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
    assert [panel.quantity for panel in drawn] == list(curves._PANELS)
    picture = curves.figure(futures, "Cu")
    assert isinstance(picture, Figure)
    grid = np.array(picture.axes).reshape(len(drawn), len(futures))
    for row, panel in zip(grid, drawn, strict=True):
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
