"""A results workbook as an input: its observations again, or its results as exact values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from mfa.errors import MFAError
from mfa.schema import RESULT_COLUMNS, SHEET, column_names, fold, has_results
from mfa.system.findings import Findings
from mfa.system.raw import Cell, RawSheet

Values = Literal["observed", "reconciled"]
REPLACED = ("flows", "stocks", "coefficients", "compositions")
_OLD = {"value": "result_value", "sd": "result_sd", "observed": "value", "observedsd": "sd"}


def prefer(
    found: Mapping[str, RawSheet],
    sheets: Mapping[str, RawSheet],
    values: Values,
    findings: Findings,
) -> dict[str, RawSheet]:
    """Return the sheets of the format with the values that are asked for.

    Columns stay where they are, so that cells can still be named.

    Parameters
    ----------
    found : mapping of str to RawSheet
        The sheets of the format by their names in it.
    sheets : mapping of str to RawSheet
        Every sheet of the file.
    values : {"observed", "reconciled"}
        What to take from a results workbook; other workbooks have observed values only.
    findings : Findings
        Hears of a file without results where these are asked for.
    """
    if values not in get_args(Values):
        raise MFAError(f"no such values: {values!r}; use 'observed' or 'reconciled'")
    out = dict(found)
    results = [name for name in REPLACED if name in found and has_results(found[name].headers)]
    for name in results:
        out[name] = _observed(found[name]) if values == "observed" else _exact(found[name])
    if values == "reconciled":
        if "flows" in found and "flows" not in results:
            findings.error(
                "this is no results workbook: the sheet 'flows' has no columns observed and status",
                "write one with mfa balance, or read the values as observed",
                None,
                "flows!1",
            )
        statements = next((raw for n, raw in sheets.items() if fold(n) == "statements"), None)
        if statements and "observations" in found and results:
            out["observations"] = _settled(found["observations"], statements)
    return out


def as_input(raw: RawSheet) -> RawSheet:
    """Return a sheet that `prefer` gave without the columns that only results have."""
    folded = [fold(header) for header in raw.headers]
    if not has_results(raw.headers):
        return raw
    dropped = set(map(fold, RESULT_COLUMNS))
    kept = [j for j, name in enumerate(folded) if name not in dropped]
    place = {j: new for new, j in enumerate(kept)}
    faults = {(i, place[j]): why for (i, j), why in raw.faults.items() if j in place}
    headers = tuple(raw.headers[j] for j in kept)
    return RawSheet(raw.name, headers, tuple(raw.columns[j] for j in kept), faults)


def _observed(raw: RawSheet) -> RawSheet:
    """Read a sheet from what was observed: its value and sd are results."""
    headers = tuple(_OLD.get(fold(header), header) for header in raw.headers)
    return RawSheet(raw.name, headers, raw.columns, raw.faults)


def _exact(raw: RawSheet) -> RawSheet:
    """Read a sheet from its results: what is determined is exact, the rest unknown."""
    place = {fold(header): j for j, header in enumerate(raw.headers)}
    value = raw.columns[place["value"]]
    columns = list(raw.columns)
    if "sd" in place:
        columns[place["sd"]] = [None if cell is None else 0.0 for cell in value]
    if "include" in place:
        columns[place["include"]] = [None] * raw.n_rows
    return RawSheet(raw.name, raw.headers, tuple(columns), raw.faults)


def _settled(raw: RawSheet, statements: RawSheet) -> RawSheet:
    """Let every observation that is part of the result state what came out, exactly."""
    names = column_names(SHEET["observations"])
    place = {names.get(fold(header), header): j for j, header in enumerate(raw.headers)}
    results = _results_by_id(statements)
    columns = [list(column) for column in raw.columns]
    headers = list(raw.headers)
    if "sd" not in place:
        place["sd"] = len(headers)
        headers.append("sd")
        columns.append([None] * raw.n_rows)
    for i, cell in enumerate(raw.columns[place["observation"]]):
        result = results.pop(str(cell), None)
        if result is None:
            continue
        new: dict[str, Cell] = {"value": result, "sd": 0.0, "cv": None, "unit": None}
        for name, cell in new.items():
            if name in place:
                columns[place[name]][i] = cell
    return RawSheet(raw.name, tuple(headers), tuple(columns), raw.faults)


def _results_by_id(statements: RawSheet) -> dict[str, Cell]:
    """Return what came out for every observation that pulls; limits have no value of their own."""
    by_name = {fold(h): c for h, c in zip(statements.headers, statements.columns, strict=True)}
    names = ("observation", "relation", "include", "value")
    blank: list[Cell] = [None] * statements.n_rows
    rows = zip(*(by_name.get(name, blank) for name in names), strict=True)
    return {
        str(observation): value
        for observation, relation, include, value in rows
        if relation == "=" and include != "no" and value is not None
    }
