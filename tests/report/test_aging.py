"""Stocks of the reconciled years: the same numbers in the tables, the workbook and the picture."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mfa
from mfa.report import aging
from mfa.report.contradictions import suspect_groups
from mfa.report.page import Page
from mfa.report.results import result_tables

YEARS = list(range(1990, 2011))


def system(lost: float | None = 17.0, sd: float = 3.0, unknown: int = 0) -> mfa.System:
    """Two shops send into one stock; what entered from the second is unknown in one year."""
    flows = [("cars", "Cars", "Use", y, 9.0 + 0.4 * (y - 1990), 0.9) for y in YEARS]
    flows += [("wires", "Wires", "Use", y, None if y == unknown else 6.0, 0.5) for y in YEARS]
    flows += [("worn", "Use", "Scrap", y, lost if y == 2004 else None, sd) for y in YEARS]
    columns = ["flow", "from", "to", "year", "value", "sd"]
    table = pd.DataFrame(flows, columns=columns)
    table["sd"] = table["sd"].where(table["value"].notna())
    return mfa.System.from_tables(
        {
            "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
            "processes": pd.DataFrame(
                {
                    "process": ["Cars", "Wires", "Use", "Scrap"],
                    "kind": ["source", "source", None, "sink"],
                    "stage": ["manufacturing", "manufacturing", "use", "collection"],
                    "stock": [None, None, "yes", None],
                }
            ),
            "flows": table,
            "stocks": pd.DataFrame(
                {
                    "process": "Use",
                    "year": [1989, 2005],
                    "quantity": "level",
                    "value": [160.0, 220.0],
                    "sd": [30.0, 20.0],
                }
            ),
            "lifetimes": pd.DataFrame(
                {"process": ["Use"], "distribution": ["weibull"], "mean": [14.0], "sd": [5.0]}
            ),
        }
    )


@pytest.fixture(scope="module")
def balance():
    return mfa.reconcile(system())


def test_classes_of_age_and_end_uses_add_up_to_the_stock(balance):
    stock = balance.cohorts.set_index("year")["cohort"]
    for table in (aging.by_age(balance, "Cu"), aging.by_end_use(balance, "Cu")):
        assert list(table.index) == YEARS
        assert table.sum(axis=1).to_numpy() == pytest.approx(stock.to_numpy(), rel=1e-12)
    uses = aging.by_end_use(balance, "Cu")
    assert set(uses) == {"Cars", "Wires", "before"}
    assert list(uses)[-1] == "before"


def test_end_uses_are_the_cohorts_of_their_own_inflow(balance):
    flows = balance.flows.set_index(["flow", "year"])["value"]
    run = mfa.inflow_driven(
        YEARS,
        np.array([[flows[name, y] for name in ("cars", "wires")] for y in YEARS]),
        mfa.Weibull(mean=14.0, sd=5.0),
        "spread",
    )
    uses = aging.by_end_use(balance, "Cu")
    assert uses[["Cars", "Wires"]].to_numpy() == pytest.approx(run.stock, rel=1e-9)


def test_ages_by_hand(balance):
    classes = aging.by_age(balance, "Cu").loc[2010]
    ages = balance.ages[balance.ages["year"] == 2010]
    young = ages.loc[ages["cohort"] > 2005, "value"].sum()
    older = ages.loc[(ages["cohort"] <= 2005) & (ages["cohort"] > 2000), "value"].sum()
    assert classes["0–5"] == pytest.approx(young)
    assert classes["5–10"] == pytest.approx(older)
    assert classes["before"] == pytest.approx(ages.loc[ages["cohort"].isna(), "value"].sum())


def test_what_is_not_known_is_blank_until_nothing_of_it_is_left():
    loose = mfa.reconcile(system(lost=None, unknown=2000), survival="off")
    uses = aging.by_end_use(loose, "Cu")
    known = uses["Wires"].notna()
    assert known.loc[:1999].all()
    assert not known.loc[2000:].any()
    assert uses["Cars"].notna().all()
    assert aging.by_age(loose, "Cu").loc[2003, "0–5":"0–5"].isna().all()
    both = aging.two_ways(loose, "Cu")
    assert both.loc[1999, "cohort"] > 0
    assert np.isnan(both.loc[2000:, "cohort"]).all()
    picture = aging.stock_curves(Page(loose, "en"))
    assert "Difference" in picture


def test_workbook_has_them(balance, tmp_path):
    tables = result_tables(balance)
    assert tables["cohorts"].equals(balance.cohorts)
    assert tables["ages"].equals(balance.ages)
    assert tables["end_uses"]["level"].sum() == pytest.approx(balance.cohorts["cohort"].sum())
    mfa.write_workbook(balance, tmp_path / "results.xlsx")
    read = pd.read_excel(tmp_path / "results.xlsx", sheet_name="ages", engine="calamine")
    assert read["value"].to_numpy() == pytest.approx(balance.ages["value"].to_numpy())
    assert not mfa.read_workbook(tmp_path / "results.xlsx").problems


@pytest.mark.parametrize(("lang", "words"), [("en", "in use before 1990"), ("ja", "1990 年より前")])
def test_page_shows_them(balance, lang, words):
    page = Page(balance, lang)
    assert words in aging.stock_curves(page)
    rows = aging.cohort_rows(page)
    assert [row["year"] for row in rows][:: len(rows) - 1] == [1990, 2010]
    assert all(row["top_down"] == row["cohort"] for row in rows)


def test_a_lifetime_among_the_suspects_has_its_place_on_the_page(tmp_path):
    against = mfa.reconcile(system(lost=60.0, sd=0.2), survival="soft", cv=0.02)
    groups = suspect_groups(Page(against, "en"))
    names = [row["name"] for group in groups for row in group["rows"]]
    assert "Use, lifetime" in names
    assert "Useの寿命" in str(suspect_groups(Page(against, "ja")))
