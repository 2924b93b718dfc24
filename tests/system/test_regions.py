"""The column region: who is where, what is odd about it, and what a region sees."""

from __future__ import annotations

import pandas as pd
import pytest

import mfa
from mfa.system.apart import seen_from

from . import books

PROCESSES = (
    ("mine", "source", "mining", None, "North"),
    ("smelter", None, "smelting", None, "North"),
    ("market", None, "trade", None, "North"),
    ("mill", None, "fabrication", None, "South"),
    ("use", None, "use", "yes", "South"),
    ("yard", None, "collection", None, "South"),
    ("dealers", "import", "trade", None, "South"),
    ("dump", "sink", "disposal", None, None),
)
FLOWS = (
    ("ore", "mine", "smelter", "primary", 50),
    ("metal", "smelter", "market", "refined", 61),
    ("sold", "market", "mill", "refined", 54),
    ("kept", "market", "dump", "loss", 16),
    ("goods", "mill", "use", "product", 45),
    ("cut", "mill", "market", "new_scrap", 9),
    ("worn", "use", "yard", "end_of_life", 20),
    ("old", "yard", "smelter", "old_scrap", 12),
    ("bales", "dealers", "yard", "scrap", 3),
    ("lost", "yard", "dump", "loss", 11),
)


def book(regions=None, settings=(), **sheets):
    """Return tables of two regions; ``regions`` changes some by process."""
    rows = [[*p[:4], (regions or {}).get(p[0], p[4])] for p in PROCESSES]
    return {
        "system": [["key", "value"], ["unit", "kt/yr"], ["substances", "Cu"], *settings],
        "processes": [["process", "kind", "stage", "stock", "region"], *rows],
        "flows": [
            ["flow", "from", "to", "role", "value", "year", "cv"],
            *([*f, 2018, 0.05] for f in FLOWS),
        ],
        **sheets,
    }


def test_regions_are_those_of_balanced_processes():
    assert books.read(book()).regions == ("North", "South")
    assert books.read(book({"mine": "Chile"})).regions == ("North", "South")
    assert not books.warnings(book())


def test_a_blank_is_the_systems_own_region_for_what_is_balanced():
    blank = dict.fromkeys(("mine", "smelter", "market"))
    system = books.read(book(blank, settings=[["region", "Home"]]))
    assert system.regions == ("Home", "South")
    seen = seen_from(system, "Home").processes.set_index("process")["kind"]
    assert seen["smelter"] == "process"
    assert seen["mine"] == "source"
    assert seen["dump"] == "sink"  # no region's own: it serves both
    assert seen_from(system, "South").processes.set_index("process")["kind"]["dump"] == "sink"


def test_nobody_has_regions_unless_told():
    blank = dict.fromkeys(p[0] for p in PROCESSES)
    assert books.read(book(blank)).regions == ()
    assert not books.warnings(book(blank))


def test_near_misses_are_named():
    found = books.only(books.warnings(book({"yard": "ＳＯＵＴＨ", "use": " South "})))
    assert (found.sheet, found.cell) == ("processes", "E7")
    assert found.what == "region 'ＳＯＵＴＨ' is another region than 'South'"
    assert "spell them alike" in found.do
    own = books.only(books.warnings(book(settings=[["region", "north"]])))
    assert own.what == "region 'north' is another region than 'North'"
    assert own.sheet == "system"


def test_processes_in_no_region_are_named():
    found = books.only(books.warnings(book({"mill": None})))
    assert (found.sheet, found.cell) == ("processes", "A5")
    assert found.what == "the process 'mill' is in no region, but others are in one"


def test_a_region_without_trade_is_named():
    tables = book({"use": "East", "yard": "East", "dealers": "East"})
    assert not books.warnings(tables)
    tables["flows"] = [row for row in tables["flows"] if row[0] not in ("goods", "old")]
    tables["flows"].append(["done", "mill", "dump", "loss", 36, 2018, 0.05])
    found = books.only(books.warnings(tables))
    assert found.what == "the region 'East' trades with no other region"
    assert found.sheet == "processes"


def test_what_a_region_sees():
    seen = seen_from(books.read(book(settings=[["title", "Copper"]])), "North")
    processes = seen.processes.set_index("process")
    assert processes["kind"].to_dict() == {
        "mine": "source",
        "smelter": "process",
        "market": "process",
        "dump": "sink",
        "mill": "import",
        "yard": "import",
        "mill (export)": "export",
    }
    away = processes.loc[["mill", "yard", "mill (export)"]]
    assert set(away["region"]) == set(away["group"]) == {"South"}
    assert not away["stock"].any()
    flows = seen.flows.set_index("flow")
    assert flows.index.tolist() == ["ore", "metal", "sold", "kept", "cut", "old"]
    assert flows.loc["sold", "to"] == "mill (export)"
    assert flows["role"].loc[["cut", "old"]].tolist() == ["scrap", "scrap"]
    assert (seen.settings.region, seen.settings.title) == ("North", "Copper: North")
    assert seen.regions == ("North",)


def test_scrap_that_leaves_keeps_its_role():
    seen = seen_from(books.read(book()), "South")
    flows = seen.flows.set_index("flow")
    assert flows["role"].loc[["cut", "old", "bales"]].tolist() == [
        "new_scrap",
        "old_scrap",
        "scrap",
    ]
    kinds = seen.processes.set_index("process")["kind"]
    assert kinds["smelter"] == "export"
    assert kinds["dealers"] == "import"


def test_twins_do_not_take_the_name_of_another():
    tables = book()
    tables["processes"].append(["mill (export)", None, "manufacturing", None, "North"])
    tables["flows"].append(["sheet", "mill", "mill (export)", "product", 0, 2018, None])
    tables["flows"].append(["made", "mill (export)", "dump", "loss", 0, 2018, None])
    tables["system"].append(["default_cv", 0.1])
    seen = seen_from(books.read(tables), "North")
    assert seen.processes["process"].is_unique
    assert seen.flows.set_index("flow").loc["sheet", "to"] == "mill (export)"
    assert seen.flows.set_index("flow").loc["sold", "to"] == "mill (export) (export)"


def test_statements_about_several_regions_are_not_seen_but_count():
    sheets = {
        "coefficients": [
            ["coefficient", "flow", "of", "year", "value", "sd"],
            ["yield", "metal", "inputs", 2018, 0.99, 0.01],
            ["back", "old", "inputs", 2018, 0.5, 0.1],
        ],
        "observations": [
            ["observation", "flow", "factor", "year", "relation", "value", "sd"],
            ["all loss", "kept", 1, 2018, "=", 26, 2],
            ["all loss", "lost", 1, 2018, None, None, None],
            ["metal again", "metal", 1, 2018, "=", 60, 1],
        ],
    }
    balance = mfa.reconcile(books.read(book(**sheets)))
    north, south = (mfa.region(balance, name) for name in ("North", "South"))
    assert north.coefficients["coefficient"].tolist() == ["yield"]
    assert south.coefficients["coefficient"].tolist() == ["back"]
    assert north.observations["observation"].tolist() == ["metal again"]
    assert south.observations.empty
    for part in (north, south):
        for name, key in (("coefficients", "coefficient"), ("observations", "observation")):
            mine = getattr(part, name).set_index(key)
            whole = getattr(balance, name).set_index(key).loc[mine.index]
            pd.testing.assert_frame_equal(mine, whole, check_dtype=False)
        assert part.chi2 == balance.chi2
        pd.testing.assert_frame_equal(part.suspects, balance.suspects)


@pytest.mark.parametrize("name", ["North", "South"])
def test_results_of_a_region_can_be_read_again(name, tmp_path):
    balance = mfa.reconcile(books.read(book()))
    part = mfa.region(balance, name)
    mfa.write_workbook(part, tmp_path / "part.xlsx")
    again = mfa.read_workbook(tmp_path / "part.xlsx", values="reconciled")
    assert again.regions == (name,)
    alone = mfa.reconcile(again)
    columns = ["flow", "from", "to", "role", "value"]
    pd.testing.assert_frame_equal(
        alone.flows[columns], part.flows[columns], check_dtype=False, rtol=1e-9
    )
    mine, theirs = (mfa.indicators(b)["value"] for b in (alone, part))
    pd.testing.assert_series_equal(mine, theirs)
