"""Numbers on the page are those of the tables, rounded as they are shown."""

from __future__ import annotations

import math
import re

import pytest

import mfa
from mfa.report.words import words

from . import pages

EN = words("en")
NUMBER = r"[−-]?[\d,]+(?:\.\d+)?"
SHAPES = [
    "small",
    "a whole cycle",
    "two substances",
    "bounds",
    "left out",
    "negative",
    "assumptions",
]


def close(shown, number):
    """Return whether a number as shown is a rounding of another."""
    text = shown.replace(",", "").replace("−", "-")
    digits = len(text.partition(".")[2])
    if "." not in text:  # large numbers end in zeros
        digits = -(len(text.strip("-")) - len(text.strip("-").rstrip("0")))
        digits = min(digits, 0)
    return abs(float(text) - number) <= 0.5001 * 10**-digits


def check_plus_minus(text, value, sd):
    """Check a cell such as ``96.0 ± 1.8``."""
    if math.isnan(value):
        assert "±" not in text
        return
    found = re.match(rf"({NUMBER})(?: ± ({NUMBER}))?", text.strip())
    assert found, text
    assert close(found[1], value), (text, value)
    if found[2]:
        assert close(found[2], sd), (text, sd)
    else:
        assert math.isnan(sd) or sd == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_flows(shape):
    _, page, balance = pages.shape(shape)
    rows = page.table("Flow", "Process", "Basis")
    system = balance.system
    names = dict(zip(system.flows["flow"], system.flows["name"], strict=True))
    table = balance.flows.assign(shown=[names[f] or f for f in balance.flows["flow"]])
    several = len(system.layers) > 1
    for row in rows:
        name = row["Flow"]
        here = table[(table["year"].astype(str) == row["Year"])]
        if several:
            name, _, substance = name.rpartition(" (")
            here = here[here["substance"] == substance.rstrip(")")]
        one = here[here["shown"] == name]
        assert len(one) == 1
        one = one.iloc[0]
        check_plus_minus(row["Observed"], one["observed"], one["observed_sd"])
        check_plus_minus(row["Result"], one["value"], one["sd"])
        assert row["Status"] == one["status"]
        assert row["Cell"] == one["cell"]
    assert len(rows) == len(table)


@pytest.mark.parametrize("shape", SHAPES)
def test_ranges_of_undetermined_flows(shape):
    _, page, balance = pages.shape(shape)
    open_ = balance.flows[balance.flows["status"] == "undetermined"]
    rows = [
        row for row in page.table("Flow", "Process", "Basis") if row["Status"] == "undetermined"
    ]
    assert len(rows) == len(open_)
    for row, (_, one) in zip(rows, open_.sort_values(["flow"]).iterrows(), strict=False):
        if math.isnan(one["high"]):
            assert "no upper limit" in row["Result"]


@pytest.mark.parametrize("shape", SHAPES)
def test_balances(shape):
    _, page, balance = pages.shape(shape)
    rows = page.table("Inputs", "Outputs", "Open before")
    table = balance.processes.to_dict("records")
    assert len(rows) == len(table)
    for row, one in zip(rows, table, strict=True):
        for header, key in (("Inputs", "inputs"), ("Outputs", "outputs")):
            if row[header]:
                assert close(row[header], one[key])
            else:
                assert math.isnan(one[key])
        found = re.match(rf"({NUMBER}) \(z = ({NUMBER})\)", row["Open before"])
        if found:
            assert close(found[1], one["residual_before"])
            assert close(found[2], one["residual_z"])


@pytest.mark.parametrize("shape", SHAPES)
def test_indicators(shape):
    _, page, balance = pages.shape(shape)
    table = mfa.indicators(balance)
    table = table[(table["indicator"] != "loss") | (table["item"] == "")]  # see the losses
    table = table[~table["indicator"].isin(pages.ELSEWHERE)]  # see the supply
    rows = page.table("Indicator", str(balance.system.years[-1]))
    keys = ["indicator", "item", "substance"]
    groups = table.groupby(keys, sort=False)
    assert len(rows) == len(groups)
    assert groups.size().max() == len(balance.system.years)
    for (indicator, item, substance), group in groups:
        name = EN[f"indicator:{indicator}"] + (f": {EN[f'role:{item}']}" if item else "")
        if len(balance.system.layers) > 1:
            name += f" ({EN.get(substance, substance)})"
        start = name + EN[f"scope:{indicator}"]
        (row,) = (row for row in rows if row["Indicator"].startswith(start))
        for _, one in group.iterrows():
            cell = row[str(one["year"])]
            share = one["unit"] == "1"
            unit = "%" if share else {"d": "days"}.get(one["unit"], one["unit"])
            found = re.match(rf"({NUMBER})(?: ± ({NUMBER}))? {re.escape(unit)}", cell)
            if one["missing"]:
                assert "cannot be formed" in cell
            elif not math.isnan(one["value"]):
                assert close(found[1], one["value"] * (100 if share else 1))
            else:
                assert "–" in cell or "…" in cell


@pytest.mark.parametrize("shape", [*SHAPES, "contradictions"])
def test_the_verdict(shape):
    _, page, balance = pages.shape(shape)
    if not balance.dof:
        return
    found = re.search(
        rf"chi-square ({NUMBER}) on (\d+) degrees of freedom, p ([=<]) ([\d.e-]+)\)", page.text
    )
    assert close(found[1], balance.chi2)
    assert int(found[2]) == balance.dof
    if found[3] == "=":
        assert float(found[4]) == pytest.approx(balance.p_value, rel=0.05)
    else:
        assert balance.p_value < float(found[4])


def test_losses():
    _, page, balance = pages.shape("a whole cycle")
    table = mfa.bottlenecks(balance)
    rows = page.table("Rank", "Loss")
    assert len(rows) == len(table) > 0
    header = next(name for name in rows[0] if name.startswith("Loss"))
    for row, (_, one) in zip(rows, table.iterrows(), strict=True):
        check_plus_minus(row[header], one["value"], one["sd"])


def test_how_many_numbers_are_checked():
    _, page, balance = pages.shape("small")
    checked = (balance.flows["status"] == "reconciled") & balance.flows["observed"].notna()
    stocks = balance.stocks["observed"].notna()
    reconciled = (balance.stocks["status"] == "reconciled") & stocks
    total = int(balance.flows["observed"].notna().sum() + stocks.sum())
    known = int(checked.sum() + reconciled.sum())
    assert f"{known} of {total} given numbers" in page.text
