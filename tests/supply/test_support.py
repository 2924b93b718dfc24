"""Support: verdicts by hand, nothing passes without its numbers, classes and matches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import mfa
from mfa.supply import criteria, support
from mfa.system import System

PROCESSES = pd.DataFrame(
    [
        ("here", "mining", "import"),
        ("there", "mining", "import"),
        ("smelter", "smelting", "process"),
        ("mill", "fabrication", "process"),
        ("homes", "use", "process"),
        ("yard", "collection", "process"),
        ("sorter", "sorting", "process"),
        ("buyers", "", "export"),
        ("dump", "", "sink"),
    ],
    columns=["process", "stage", "kind"],
)
FLOWS = [
    ("ore_here", "here", "smelter", "primary", 30.0, 0.3),
    ("ore_there", "there", "smelter", "primary", 50.0, 0.5),
    ("slag", "smelter", "dump", "loss", None, None),
    ("metal", "smelter", "mill", "refined", 95.0, 0.4),
    ("goods", "mill", "homes", "product", None, None),
    ("discarded", "homes", "yard", "end_of_life", 60.0, 0.6),
    ("burnt", "yard", "dump", "loss", None, None),
    ("sold", "yard", "sorter", "old_scrap", 40.0, 0.4),
    ("fluff", "sorter", "dump", "loss", None, None),
    ("clean", "sorter", "smelter", "old_scrap", 25.0, 0.2),
    ("abroad", "sorter", "buyers", "old_scrap", 9.0, 0.1),
]
HHI = (30 / 80) ** 2 + (50 / 80) ** 2  # 0.53125


def balance_of(
    flows: list[tuple[Any, ...]] = FLOWS,
    substances: str = "Cu",
    **sheets: list[dict[str, Any]],
) -> mfa.Balance:
    table = pd.DataFrame(flows, columns=["flow", "from", "to", "role", "value", "sd"])
    stocks = {"stock": ["yes" if name == "homes" else None for name in PROCESSES["process"]]}
    tables = {
        "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", substances]}),
        "processes": PROCESSES.assign(
            **stocks, capacity=[None] * 6 + [20.0, None, None], capacity_substance="Cu"
        ).astype({"capacity": object}),
        "flows": table.assign(year=2020),
    }
    tables["processes"].loc[PROCESSES["process"] != "sorter", "capacity_substance"] = None
    for name, rows in sheets.items():
        tables[name] = pd.DataFrame(rows)
    return mfa.reconcile(System.from_tables(tables))


def rule(name: str, *conditions: tuple[str, str, float, float | None]) -> list[dict[str, Any]]:
    return [
        {"rule": name, "indicator": i, "relation": r, "threshold": t, "value": v, "cap": 0.7}
        for i, r, t, v in conditions
    ]


def verdict(*conditions: tuple[str, str, float, float | None]) -> tuple[str, str]:
    row = criteria(balance_of(rules=rule("loan", *conditions))).iloc[0]
    return row["verdict"], row["missing"]


def test_all_conditions_must_hold() -> None:
    """Collection is 40/60 = 0.667 ± 0.009, the concentration of imports 0.531 ± 0.004."""
    high, low = ("primary_import_hhi", ">=", 0.5, None), ("primary_import_hhi", "<", 0.5, None)
    grows = ("demand", ">", 1.5, 1.7)
    assert verdict(high, grows) == ("yes", "")
    assert verdict(low, grows) == ("no", "")
    assert verdict(high, ("demand", ">", 1.7, 1.7)) == ("no", "")
    assert verdict(high, ("demand", ">=", 1.7, 1.7)) == ("yes", "")
    assert verdict(("collection_rate", "<=", 0.7, None)) == ("yes", "")


def test_a_missing_number_never_passes() -> None:
    high = ("primary_import_hhi", ">=", 0.5, None)
    assert verdict(high, ("demand", ">", 1.5, None)) == ("missing", "demand")
    assert verdict(("a", ">", 1.5, None), ("b", "<", 1.5, None)) == ("missing", "a, b")
    refuted = verdict(("primary_import_hhi", "<", 0.5, None), ("demand", ">", 1.5, None))
    assert refuted == ("no", "demand")  # one that fails is enough; what is missing is said


def test_a_number_on_both_sides_of_the_threshold_is_open() -> None:
    assert verdict(("collection_rate", ">=", 0.667, None)) == ("open", "")
    assert verdict(("collection_rate", "<", 0.667, None)) == ("open", "")
    assert verdict(("collection_rate", ">=", 0.60, None)) == ("yes", "")


@pytest.mark.parametrize(
    ("relation", "low", "high"), [(">", "no", "yes"), ("<=", "yes", "no"), ("=", "no", "no")]
)
def test_relations(relation: str, low: str, high: str) -> None:
    got = [verdict(("x", relation, 2.0, value))[0] for value in (1.0, 3.0)]
    assert got == [low, high]
    assert verdict(("x", relation, 2.0, 2.0))[0] == ("no" if relation == ">" else "yes")


def test_numbers_behind_a_verdict_by_hand() -> None:
    table = criteria(
        balance_of(rules=rule("loan", ("primary_import_hhi", ">=", 0.5, None), ("n", ">", 1, 2)))
    ).set_index("indicator")
    row = table.loc["primary_import_hhi"]
    assert row["value"] == pytest.approx(HHI, abs=0.003)
    # d HHI = 2 (s − HHI) dm / M, the two masses all but independent
    slopes = [2 * (s - HHI) / 80 for s in (30 / 80, 50 / 80)]
    sd = np.hypot(slopes[0] * 0.3, slopes[1] * 0.5)
    assert row["high"] - row["value"] == pytest.approx(1.96 * sd, rel=0.2)
    assert row["cap"] == 0.7
    assert table.loc["n", "met"] == "yes"


def test_a_rule_of_another_substance_is_not_asked() -> None:
    rows = rule("loan", ("x", ">", 1, 2))
    rows[0]["substance"] = "Zn"
    assert list(criteria(balance_of(substances="Cu, Zn", rules=rows))["substance"]) == ["Zn"]
    assert criteria(balance_of()).empty


MEASURES = [
    {"measure": "collect", "item": "burnt", "target": 5},
    {"measure": "sort", "item": "sorting", "target": 0.05},
    {"measure": "keep", "item": "abroad", "target": 0},
    {"measure": "build", "item": "sorter", "target": 80},
]
SORTING = [{"coefficient": "sorting", "flow": "fluff", "value": 0.15, "sd": 0.02}]


def test_classes_and_measures() -> None:
    table = support(balance_of(measures=MEASURES, coefficients=SORTING))
    found = {(row["item"], row["kind"]): row["measures"] for row in table.to_dict("records")}
    assert found == {
        ("yard", "collection system"): "collect",
        ("smelter", "process yield"): "",
        ("sorter", "sorting technology"): "sort; keep; build",
        ("sorter", "capacity"): "sort; keep; build",
        ("scrap exports", "export leakage"): "keep",
    }
    assert table["probability"].max() > 0.99
    assert "used 200 %" in table.loc[table["kind"] == "capacity", "because"].iat[0]


def test_missing_data_names_what_to_survey() -> None:
    flows = [(*f[:4], None, None) if f[0] in ("sold", "clean", "abroad") else f for f in FLOWS]
    table = support(balance_of(flows)).set_index("item")
    row = table.loc[["yard"]].iloc[0]
    assert row["kind"] == "missing data"
    assert row["survey"] in {f[0] for f in FLOWS}
    assert np.isnan(row["probability"])


def test_finance_lists_rules_that_hold() -> None:
    rows = rule("holds", ("x", ">", 1, 2)) + rule("fails", ("x", ">", 3, 2))
    rows += rule("lacks", ("y", ">", 3, None))
    assert set(support(balance_of(rules=rows))["finance"]) == {"holds"}


def test_shipped_cases() -> None:
    copper = mfa.reconcile(mfa.read_tables("flows/copper-japan"))
    verdicts = criteria(copper).groupby("rule")["verdict"].first()
    assert set(verdicts) == {"open"}  # the concentration of imports lies on both sides of 0.25
    table = support(copper)
    assert {"missing data", "export leakage", "process yield"} <= set(table["kind"])
