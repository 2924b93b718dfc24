"""Tables of thousands of rows: whatever their dtypes and order, the System is the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mfa
from mfa import System
from mfa.balance.compile import compile_system
from mfa.system.columns import Coded, Numbers
from mfa.system.places import Places
from mfa.system.raw import from_frame

from . import books

N_FLOWS, YEARS = 130, range(2001, 2024)
OPTIONAL = ["role", "name", "reference", "unit", "include", "sd", "min"]


def flows_table():
    """Return the flows of a chain of processes, with blanks in every column that may have them."""
    rng = np.random.default_rng(5)
    flow = np.tile(np.arange(N_FLOWS), len(YEARS))
    n = len(flow)
    table = pd.DataFrame(
        {
            "flow": [f"F{k}" for k in flow],
            "from": [f"P{k}" for k in flow],
            "to": [f"P{k + 1}" for k in flow],
            "substance": np.where(rng.random(n) < 0.5, None, "Cu"),
            "year": np.repeat(list(YEARS), N_FLOWS),
            "value": np.round(rng.lognormal(3, 1, n), 3),
            "sd": np.round(rng.lognormal(0, 1, n), 3),
            "min": np.where(rng.random(n) < 0.1, 0.5, np.nan),
            "unit": rng.choice(["kt/yr", "t/yr", None], n),
            "role": np.where(flow % 7 == 3, "loss", None),
            "name": np.where(flow % 3 == 0, "Näme", None),
            "reference": rng.choice(["source A", "source B", None, "  "], n),
            "include": rng.choice(["no", "yes", None], n),
            "mine": rng.integers(0, 9, n),
        }
    )
    table.loc[rng.random(n) < 0.1, "value"] = np.nan
    return table


def build(flows):
    system = pd.DataFrame(
        {"key": ["unit", "substances", "default_cv"], "value": ["kt/yr", "Cu", 0.1]}
    )
    names = [f"P{k}" for k in range(N_FLOWS + 1)]
    kinds = ["source", *[None] * (N_FLOWS - 1), "sink"]
    processes = pd.DataFrame({"process": names, "kind": kinds})
    return System.from_tables({"system": system, "processes": processes, "flows": flows})


def objects(table):
    return table.astype(object)


def none_for_blank(table):
    return table.astype(object).where(table.notna(), None)


def numbers_in_objects(table):
    """Whole numbers as Python integers, among floats."""
    out = none_for_blank(table)
    whole = [int(cell) if cell is not None and cell == int(cell) else cell for cell in out["value"]]
    return out.assign(value=pd.Series(whole, dtype=object))


def nullable(table):
    return table.convert_dtypes().assign(year=table["year"].astype("Int32"))


def categories(table):
    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    return table.astype(dict.fromkeys([*texts, "year"], "category"))


def small_numbers(table):
    return table.astype({"year": "int16", "mine": "uint8", "min": "float32"})


def indexed(table):
    return table.set_index(pd.Index(np.arange(len(table))[::-1] * 3))


def spaced(table):
    """Every name with spaces round some of its texts."""
    odd = np.arange(len(table)) % 2 == 1
    names = {name: table[name].where(odd, " " + table[name] + " ") for name in ("flow", "to")}
    return table.assign(**names)


def truths(table):
    said = {"yes": True, "no": False, None: None}
    cells = [said[None if pd.isna(cell) else cell] for cell in table["include"]]
    return table.assign(include=pd.Series(cells, dtype="boolean"))


FORMS = [objects, none_for_blank, numbers_in_objects, nullable, categories, small_numbers]
FORMS += [indexed, spaced, truths]


def assert_same(one, two):
    for name in ("processes", "flows", "data", "stocks", "coefficients", "observations"):
        given, other = getattr(one, name), getattr(two, name)
        pd.testing.assert_frame_equal(given, other, check_column_type=False)
    assert one.problems == two.problems
    assert one.settings == two.settings


@pytest.mark.parametrize("form", FORMS)
def test_dtypes_do_not_matter(form):
    table = flows_table()
    assert_same(build(form(table)), build(table))


def test_the_rows_of_a_file_and_of_a_table_are_read_alike():
    table = flows_table().drop(columns="mine")
    system = build(table)
    factor = table["unit"].map({"t/yr": 1e-3, "kt/yr": 1.0}).fillna(1.0)
    data = system.data
    np.testing.assert_allclose(data["value"], table["value"] * factor, rtol=1e-15)
    np.testing.assert_allclose(data["min"], table["min"] * factor, rtol=1e-15)
    sd = (table["sd"] * factor).where(table["value"].notna())
    np.testing.assert_allclose(data["sd"], sd, rtol=1e-15)
    assert data["substance"].eq("Cu").all()
    assert data["include"].tolist() == [cell != "no" for cell in table["include"]]
    assert data["cell"].tolist() == [f"flows!F{i}" for i in range(2, len(table) + 2)]
    said = [cell if isinstance(cell, str) else "" for cell in table["reference"]]
    assert data["reference"].tolist() == [cell.strip() for cell in said]
    book = {"flows": [list(table), *none_for_blank(table).to_numpy().tolist()]}
    raw = books.frames(book)["flows"]
    assert_same(build(raw), system)


def test_the_order_of_rows_does_not_matter():
    table = flows_table()
    plain = build(table)
    order = np.random.default_rng(11).permutation(len(table))
    mixed = build(table.iloc[order].reset_index(drop=True))
    keys = ["flow", "substance", "year"]
    sort = [system.data.drop(columns="cell").sort_values(keys) for system in (plain, mixed)]
    pd.testing.assert_frame_equal(*(frame.reset_index(drop=True) for frame in sort))
    flows = [system.flows.sort_values("flow", ignore_index=True) for system in (plain, mixed)]
    pd.testing.assert_frame_equal(*flows)
    one, two = (compile_system(system) for system in (plain, mixed))
    for name in ("y", "sd", "tail", "head", "lower", "measured"):
        given = getattr(one.equations, name)[: len(table)]
        np.testing.assert_array_equal(given[order], getattr(two.equations, name)[: len(table)])


def test_years_and_numbers_typed_as_texts_are_read_and_told_of_row_by_row():
    table = flows_table()
    texts = none_for_blank(table)
    rows = [4, 30, 31]
    for i in rows:
        texts.loc[i, "sd"] = f" {texts.loc[i, 'sd']} "
    system = build(texts)
    np.testing.assert_array_equal(system.data["sd"], build(table).data["sd"])
    told = [problem.cell for problem in system.problems if "typed as text" in problem.what]
    assert told == [f"G{i + 2}" for i in rows]


def test_bad_cells_are_told_as_they_are_written():
    table = flows_table().astype({"year": object, "value": object, "to": object})
    table.loc[700, "year"] = 2001.5
    table.loc[900, "year"] = 18
    table.loc[10, "value"] = True
    table.loc[11, "value"] = float("inf")
    table.loc[12, "value"] = [1]
    table.loc[2000, "to"] = "P5 "
    table.loc[2100, "to"] = "Q"
    with pytest.raises(mfa.SystemDefinitionError) as caught:
        build(table)
    found = {problem.cell: problem.found for problem in caught.value.problems}
    assert {cell: found[cell] for cell in ("E702", "E902", "F12", "F13", "F14", "C2102")} == {
        "E702": "2001.5",
        "E902": "18",
        "F12": "True",
        "F13": "inf",
        "F14": "list [1]",
        "C2102": "Q",
    }


def test_no_object_per_row_is_kept():
    table = flows_table()
    system = build(table)
    for column in system.sheets["flows"].columns:
        assert isinstance(column, Numbers | Coded)
        assert not (isinstance(column, Numbers) and column.values.dtype == object)
    known = len(table) // 10
    for name in ("flow", "substance", "distribution", "basis", "reference", "note"):
        assert len(set(map(id, system.data[name]))) < known, name
    assert isinstance(system.data["cell"].array, Places)


def test_the_table_may_change_afterwards():
    table = flows_table()
    system = build(table)
    value, raw = system.data["value"].tolist(), list(system.sheets["flows"].columns[5])
    table["value"] = -1.0
    table.loc[:, "flow"] = "other"
    assert system.data["value"].tolist()[:5] == value[:5]
    assert list(system.sheets["flows"].columns[5]) == raw
    assert system.sheets["flows"].columns[0][0] == "F0"


def test_raw_columns_read_like_lists():
    index = pd.Index([7, 8, 9])
    frame = pd.DataFrame(
        {
            "text": ["a", " ", None],
            "number": [1.5, np.nan, 2.0],
            "whole": [1, 2, 3],
            "na": pd.array([1, None, 3], dtype="Int64"),
            "truth": pd.array([True, None, False], dtype="boolean"),
            "mixed": [1, "1", True],
            "when": pd.to_datetime(["2018-01-02", None, "2019-03-04"]),
            "kind": pd.Categorical(["x", None, "x"]),
            "lists": [[1], 2, None],
        },
        index=index,
    )
    raw = from_frame("flows", frame)
    cells = {name: list(column) for name, column in zip(raw.headers, raw.columns, strict=True)}
    assert cells == {
        "text": ["a", None, None],
        "number": [1.5, None, 2.0],
        "whole": [1, 2, 3],
        "na": [1, None, 3],
        "truth": [True, None, False],
        "mixed": [1, "1", True],
        "when": [pd.Timestamp("2018-01-02"), None, pd.Timestamp("2019-03-04")],
        "kind": ["x", None, "x"],
        "lists": [None, 2, None],
    }
    assert [type(cell) for cell in cells["mixed"]] == [int, str, bool]
    assert [type(cell) for cell in cells["na"]] == [int, type(None), int]
    assert raw.faults == {(0, 8): "list [1]"}
    for column in raw.columns:
        assert [column[i] for i in range(3)] == list(column)
        assert column[1:] == list(column)[1:]


def test_places_read_like_texts():
    places = pd.Series(Places("flows!F", [2, 30, 4]), name="cell")
    texts = pd.Series(["flows!F2", "flows!F30", "flows!F4"], name="cell", dtype=object)
    assert places.tolist() == texts.tolist()
    assert (places == texts).all()
    assert (places == places.copy()).all()
    assert (places != "flows!F30").tolist() == [True, False, True]
    assert places.str.split("!").tolist() == texts.str.split("!").tolist()
    assert ("at " + places).tolist() == ("at " + texts).tolist()
    assert places.sort_values().tolist() == texts.sort_values().tolist()
    assert places.iloc[[2, 0]].tolist() == ["flows!F4", "flows!F2"]
    assert places.isin(["flows!F4"]).tolist() == [False, False, True]
    assert pd.concat([places, pd.Series(["stocks!E2"])]).tolist() == [*texts, "stocks!E2"]
    assert places.reindex([1, 7]).isna().tolist() == [False, True]
    frame = places.to_frame().assign(x=[1, 2, 3])
    for other in (texts, places):
        assert frame.merge(other.to_frame().iloc[1:])["x"].tolist() == [2, 3]
    assert frame.to_csv() == texts.to_frame().assign(x=[1, 2, 3]).to_csv()
    assert frame.to_dict("records")[1] == {"cell": "flows!F30", "x": 2}
    changed = places.copy()
    changed.iloc[0] = "flows!F9"
    assert changed.tolist()[0] == "flows!F9"
    assert places.tolist()[0] == "flows!F2"
    with pytest.raises(TypeError, match="astype"):
        changed.iloc[0] = "elsewhere"
