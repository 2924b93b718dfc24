"""The section on what is not known says what the observability table says."""

from __future__ import annotations

import pytest

import mfa
from mfa.report.page import Page
from mfa.report.unknown import unknown
from mfa.report.words import words
from tests.balance.cases import Case, flow, processes

from . import pages

# heap → Shed → Yard → Market, and from the Shed straight: three flows that one number tells.
SHED = Case(
    processes("Shed", "Yard", "Plant"),
    flows=[
        row
        for year in (2015, 2016, 2018)
        for row in (
            flow("heap", "Mine", "Shed", year, value=10.0, sd=1.0),
            flow("moved", "Shed", "Yard", year, name_="Moved, all"),
            flow("sold", "Yard", "Market", year),
            flow("left", "Shed", "Market", year),
            flow("a", "Mine", "Plant", year),
            flow("b", "Plant", "Market", year),
            flow("c", "Plant", "Market", year),
        )
    ],
)


def test_rows_are_classes_the_largest_first() -> None:
    balance = mfa.reconcile(SHED.system())
    found = unknown(Page(balance, "en"))
    assert [row["frees"] for row in found["rows"]] == [3, 3, 3] + [1] * 5
    assert found["rows"][0]["names"] == "Moved, all 2015, sold 2015, left 2015"
    assert found["rows"][0]["group"] == ""
    assert found["rows"][3]["group"] == "2 others; for all of them, 2 measurements"
    assert found["words"].startswith("18 of 21 numbers")
    assert "at least 9 more measurements" in found["words"]
    assert found["more"].startswith("4 more rows")


@pytest.mark.parametrize("shape", pages.SHAPES)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_has_the_section(shape: str, lang: str) -> None:
    _, page, balance = pages.shape(shape, lang)
    phrases = words(lang)
    table = balance.observability
    loose = table[table["status"] == "undetermined"]
    assert phrases["unknown"] in page.text
    assert (phrases["unknown_none"] in page.text) == loose.empty
    rows = page.table(phrases["unknown_any"])
    shown = sorted((int(row[phrases["unknown_frees"]]) for row in rows), reverse=True)
    classes = loose.groupby(["tangle", "freed_by"]).size() if len(loose) else []
    assert shown == sorted((int(size) for size in classes), reverse=True)[:8]
