"""The sheet ``flows``: ends, roles, repeated rows, gaps; and ``processes``: kinds, directions."""

from __future__ import annotations

import pytest

import mfa

from . import books

SMALL = books.SMALL


def test_one_row_per_flow_substance_and_year():
    system = books.read(SMALL)
    assert system.flows["flow"].tolist() == ["ore", "metal", "scrap"]
    assert system.flows["from"].tolist() == ["Mine", "Smelter", "Use"]
    assert system.flows["to"].tolist() == ["Smelter", "Use", "Market"]
    assert len(system.data) == 6
    assert system.years == (2018, 2019)
    assert system.data["cell"].tolist() == [f"flows!F{row}" for row in range(2, 8)]


def test_blank_ends_and_roles_come_from_the_rows_above():
    book = books.with_column(SMALL, "flows", "role", None, None, None, "primary")
    system = books.read(book)
    assert system.flows["role"].tolist() == ["primary", "", ""]


def test_an_end_that_no_earlier_row_gives():
    book = books.put(SMALL, "flows!B2", None)
    found = books.errors(books.put(book, "flows!B5", "Mine"))
    problem = books.only(found)
    assert (problem.sheet, problem.cell) == ("flows", "B2")
    assert "'ore'" in problem.what


def test_ends_and_roles_that_disagree():
    book = books.with_column(SMALL, "flows", "role", "primary", None, None, "refined")
    book = books.put(books.put(book, "flows!B5", "Use"), "flows!C6", "Market")
    found = books.errors(book)
    assert [p.cell for p in found] == ["B5", "I5", "C6"]
    assert all("differs" in p.what for p in found)
    assert [p.found for p in found] == ["Use", "refined", "Market"]


def test_the_same_roles_in_another_order_agree():
    roles = ["old_scrap, end_of_life", None, None, "end_of_life, old_scrap"]
    assert books.read(books.with_column(SMALL, "flows", "role", *roles)).problems == ()


def test_several_scrap_roles_on_one_flow():
    book = books.with_column(SMALL, "flows", "role", "new_scrap, old_scrap")
    problem = books.at(books.errors(book), "flows!I2")[0]
    assert "new_scrap" in problem.found


def test_repeated_rows():
    book = books.add(SMALL, "flows", ["ore", None, None, None, 2019, 3, None, 1])
    problem = books.only(books.errors(book))
    assert (problem.sheet, problem.cell) == ("flows", "A8")
    assert "A5" in problem.what
    assert problem.found == "ore, Cu, 2019"
    assert "observations" in problem.do


def test_misspelt_processes():
    book = books.put(books.put(SMALL, "flows!B2", "Mien"), "flows!C4", "Marekt")
    found = [p for p in books.errors(book) if p.cell in ("B2", "C4")]
    assert [(p.cell, p.found) for p in found] == [("B2", "Mien"), ("C4", "Marekt")]
    assert "'Mine'" in found[0].do
    assert "'Market'" in found[1].do


def test_a_misspelt_end_is_reported_where_it_stands_only():
    found = books.errors(books.put(SMALL, "flows!B2", "Mien"))
    assert [p.cell for p in found] == ["B2"]


@pytest.mark.parametrize("name", ["smelter", "SMELTER", " Smelter", "Ｓmelter"])
def test_ids_of_processes_are_exact_but_for_spaces(name):
    book = books.put(SMALL, "flows!C2", name)
    if name.strip() == "Smelter":
        assert books.errors(book) == []
    else:
        assert "'Smelter'" in books.errors(book)[0].do


def test_misspelt_substances():
    book = books.put(SMALL, "system!B6", "Cu, Zn, Tungsten")
    book = books.put(books.put(book, "flows!D2", "Tungstn"), "flows!D3", "gods")
    found = books.errors(book)
    assert [(p.cell, p.found) for p in found] == [("D2", "Tungstn"), ("D3", "gods")]
    assert "'Tungsten'" in found[0].do
    assert "'goods'" in found[1].do


def test_a_blank_substance_is_the_first():
    book = books.put(SMALL, "system!B6", "Zn, Cu")
    for row in range(2, 8):
        book = books.put(book, f"flows!D{row}", None)
    assert set(books.read(book).data["substance"]) == {"Zn"}


@pytest.mark.parametrize(
    ("kind", "flow", "cell"),
    [
        ("import", {"from": "Smelter", "to": "Edge"}, "C2"),
        ("source", {"from": "Smelter", "to": "Edge"}, "C2"),
        ("export", {"from": "Edge", "to": "Smelter"}, "B2"),
        ("sink", {"from": "Edge", "to": "Smelter"}, "B2"),
    ],
)
def test_flows_against_the_direction_of_an_end(kind, flow, cell):
    book = books.flows_book(flow)
    book["processes"].append(["Edge", None, None, kind, None, None])
    problem = books.only(p for p in books.errors(book) if p.sheet == "flows")
    assert (problem.cell, problem.found) == (cell, "Edge")
    assert kind in problem.what


def test_flows_from_outside_to_outside_and_in_circles_are_fine():
    rows = [
        {"value": 3, "sd": 1},
        {"from": "Mine", "to": "Market", "value": 5, "sd": 1},
        {"from": "Smelter", "to": "Smelter", "value": 2, "sd": 1},
        {"from": "Smelter", "to": "Market", "value": 4, "sd": 2},
    ]
    balance = mfa.reconcile(books.read(books.flows_book(*rows)))
    # 3 ± 1 against 4 ± 2: the difference of 1 is shared out 1 : 4.
    assert balance.flows["value"].tolist() == pytest.approx([3.2, 5, 2, 3.2], rel=1e-12)


def test_processes_that_stand_twice():
    book = books.add(SMALL, "processes", ["Use", None, None, None, "yes", None])
    problem = books.only(books.errors(book))
    assert (problem.sheet, problem.cell, problem.found) == ("processes", "A6", "Use")
    assert "A4" in problem.what


def test_a_stock_outside_the_boundary():
    problem = books.only(books.errors(books.put(SMALL, "processes!E5", "yes")))
    assert (problem.sheet, problem.cell) == ("processes", "E5")
    assert "sink" in problem.what


def test_names_fall_back_on_ids():
    book = books.put(books.put(SMALL, "processes!B3", None), "processes!C3", None)
    row = books.read(book).processes.iloc[1]
    assert (row["name"], row["name_ja"]) == ("Smelter", "")


def test_dead_ends_and_lonely_processes_are_warned_of():
    rows = [["Hole", *[None] * 5], ["Well", *[None] * 5], ["Isle", *[None] * 5]]
    book = books.add(SMALL, "processes", *rows, ["Heap", None, None, None, "yes", None])
    more = [("a", "Smelter", "Hole"), ("b", "Well", "Smelter"), ("c", "Smelter", "Heap")]
    for name, start, end in more:
        for year in (2018, 2019):
            book = books.add(book, "flows", [name, start, end, "Cu", year, None, None, None])
    found = books.warnings(book)
    assert len(found) == 3
    for problem, name in zip(found, ("Hole", "Well", "Isle"), strict=True):
        assert f"'{name}'" in problem.what


GAPS = [
    ("ore", 2019, "Cu", "2019"),
    ("scrap", 2018, "Cu", "2018"),
]


@pytest.mark.parametrize(("flow", "year", "substance", "words"), GAPS)
def test_gaps_in_years_are_warned_of(flow, year, substance, words):
    book = books.small()
    ends = {row[0]: row[1:3] for row in SMALL["flows"][1:4]}
    rows = [row for row in book["flows"][1:] if (row[0], row[4]) != (flow, year)]
    book["flows"] = [book["flows"][0], *[[row[0], *ends[row[0]], *row[3:]] for row in rows]]
    problem = books.only(books.warnings(book))
    assert problem.sheet == "flows"
    for word in (f"'{flow}'", substance, words):
        assert word in problem.what


def test_gaps_in_substances_are_warned_of():
    book = books.put(SMALL, "system!B6", "Cu, Zn")
    book = books.add(book, "flows", ["ore", None, None, "Zn", 2018, 5, None, 1])
    found = books.warnings(book)
    assert [problem.cell for problem in found] == ["A2", "A3", "A4"]
    assert "Zn in 2019" in found[0].what
    assert "Zn in any year" in found[1].what


def test_a_flow_of_nothing_but_goods_is_warned_of():
    # Copper balances count it as carrying none.
    rows = [["slag", "Smelter", "Market", "goods", year, 7, None, 1] for year in (2018, 2019)]
    found = books.warnings(books.add(SMALL, "flows", *rows))
    assert any("'slag'" in problem.what and "Cu" in problem.what for problem in found)


def test_a_substance_that_no_flow_carries_is_warned_of():
    found = books.warnings(books.put(SMALL, "system!B6", "Cu, Zn"))
    assert any("Zn" in problem.what for problem in found)


def goods(*flows):
    book = books.small(stocks=None)
    for flow, year, value in flows:
        book = books.add(book, "flows", [flow, None, None, "goods", year, value, None, 2])
    return books.read(book)


def test_goods_are_balanced_where_every_flow_has_a_row_for_them():
    system = goods(("ore", 2018, 300), ("metal", 2018, 320), ("ore", 2019, 330))
    balances = mfa.reconcile(system).processes
    weighed = balances[(balances["substance"] == "goods") & (balances["process"] == "Smelter")]
    assert weighed["year"].tolist() == [2018]
    flows = mfa.reconcile(system).flows
    both = flows[(flows["substance"] == "goods") & (flows["year"] == 2018)]
    assert both["value"].tolist() == pytest.approx([310, 310], rel=1e-12)
    alone = flows[(flows["substance"] == "goods") & (flows["year"] == 2019)]
    assert alone["value"].tolist() == [330]
    assert alone["status"].tolist() == ["measured"]


def test_goods_balances_left_out_are_listed():
    system = goods(("ore", 2018, 300), ("metal", 2018, 320), ("ore", 2019, 330))
    found = [p.what for p in mfa.remarks(system) if "goods" in p.what]
    assert len(found) == 2
    assert "'Smelter' in 2019" in found[0]
    assert "'Use' in 2018" in found[1]


def test_a_flow_without_a_row_for_a_substance_carries_none_of_it():
    book = books.flows_book(
        {"flow": "in", "value": 9, "sd": 1, "substance": "Cu"},
        {"flow": "out", "from": "Smelter", "to": "Market", "substance": "Cu"},
        {
            "flow": "gas",
            "from": "Smelter",
            "to": "Market",
            "substance": "goods",
            "value": 5,
            "sd": 1,
        },
    )
    flows = mfa.reconcile(books.read(book)).flows.set_index("flow")
    assert flows.loc["out", "value"] == 9


@pytest.mark.parametrize(
    ("row", "role", "kind", "warns"),
    [
        (2, "old_scrap", "import", True),
        (2, "new_scrap", "import", True),
        (2, "scrap", "import", False),
        (2, "old_scrap", "source", False),
        (4, "scrap", "source", True),
        (4, "old_scrap", "source", False),
    ],
)
def test_scrap_that_no_indicator_counts_is_warned_of(row, role, kind, warns):
    """Imported scrap is neither old nor new; what use throws away is no mixed scrap yet."""
    roles = [None] * (row - 2) + [role]
    book = books.with_column(books.put(SMALL, "processes!D2", kind), "flows", "role", *roles)
    found = [p for p in books.read(book).problems if "counts it" in p.what]
    assert [(p.sheet, p.cell, p.found) for p in found] == [("flows", f"I{row}", role)] * warns


@pytest.mark.parametrize(
    ("stage", "role", "warns"),
    [
        ("recycling", "refined", True),
        ("recycling", None, True),
        ("recycling", "scrap", False),
        ("smelting", "refined", False),
    ],
)
def test_metal_that_leaves_the_scrap_lane_unseen_is_warned_of(stage, role, warns):
    """A remelter of stage recycling makes metal that no recycling rate would count."""
    book = books.put(SMALL, "processes!F3", stage)
    found = books.read(books.with_column(book, "flows", "role", None, role)).problems
    assert [(p.cell, p.found) for p in found if "scrap lane" in p.what] == [("I3", role)] * warns


def test_percent_typed_as_whole_numbers_is_warned_of():
    book = books.with_column(SMALL, "flows", "cv", None, None, 5)
    book["coefficients"] = [
        ["coefficient", "flow", "of", "value", "unit", "sd"],
        ["yield", "metal", "inputs", 92, None, 1],
        ["yield %", "metal", "inputs", 92, "%", 1],
        ["per ore", "metal", "ore", 1.2, None, 0.1],
    ]
    book = books.put(books.put(book, "flows!F4", 30), "flows!H4", None)
    found = books.read(book).problems
    assert [(p.sheet, p.cell, p.found) for p in found] == [
        ("flows", "I4", "5"),
        ("coefficients", "D2", "92"),
    ]
