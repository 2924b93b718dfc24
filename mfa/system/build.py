"""From raw sheets to the tables of a System: one pass that reports every problem at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mfa.errors import UnitError, near
from mfa.schema import RESULT_SHEETS, SHEET, SHEETS, fold, has_results, is_lists, sheet_names
from mfa.system import checks, relations
from mfa.system.cells import parse_sheet
from mfa.system.columns import frame_of
from mfa.system.data import read_data, unit_factors
from mfa.system.findings import Findings
from mfa.system.lifetimes import check_lifetimes
from mfa.system.parsed import ParsedSheet
from mfa.system.raw import RawSheet
from mfa.system.regions import check_regions
from mfa.system.results import REPLACED, Values, as_input, prefer
from mfa.system.settings import Settings, read_settings
from mfa.system.supplies import check_supplies
from mfa.units import Unit, parse_unit

_SHARE = Unit("1", "share", 1.0)
_DATA_SHEETS = ("flows", "stocks", "coefficients", "compositions", "observations")
_CORE = ("system", "processes", *_DATA_SHEETS)


def _sort_out(
    sheets: Mapping[str, RawSheet], findings: Findings
) -> tuple[dict[str, RawSheet], dict[str, RawSheet]]:
    """Split the file's sheets into those of the format and those that only pass through."""
    known = sheet_names()
    results = set()  # what an input calls survey, say, is nobody's result
    if any(known.get(fold(n)) == "flows" and has_results(r.headers) for n, r in sheets.items()):
        results = {fold(name) for name in RESULT_SHEETS}
    found: dict[str, RawSheet] = {}
    others: dict[str, RawSheet] = {}
    for spelt, raw in sheets.items():
        name = known.get(fold(spelt))
        if fold(spelt) in results or is_lists(spelt, raw.headers):
            continue
        if name is None:
            others[spelt] = raw
            advice = near(spelt, SHEET, "")
            if advice:
                findings.warning(f"the sheet {spelt!r} is not read", advice, None, f"{spelt}!1")
        elif name in found:
            first = found[name].name
            findings.error(
                f"the sheets {first!r} and {spelt!r} both mean {name!r}", "keep one of them"
            )
        else:
            found[name] = raw
    for spec in SHEETS:
        if not spec.required or spec.name in found:
            continue
        findings.unknown.add(spec.name)
        if not any(problem.sheet == spec.name for problem in findings.problems):
            advice = near(spec.name, others, f"add a sheet {spec.name!r} ({spec.ja})")
            listed = ", ".join(sheets) or "none"
            findings.error(f"there is no sheet {spec.name!r}", advice, listed)
    return found, others


def _empty(name: str) -> RawSheet:
    headers = tuple(column.name for column in SHEET[name].columns)
    return RawSheet(name, headers, tuple([] for _ in headers))


def _units(settings: Settings) -> dict[str, Unit]:
    return {"rate": settings.unit, "mass": settings.unit.mass, "share": _SHARE}


def _with_data(
    sheet: ParsedSheet,
    base: np.ndarray,
    settings: Settings,
    findings: Findings,
    needs_sd: np.ndarray | None = None,
) -> pd.DataFrame:
    """Replace the data columns of a sheet by their values in the system's unit."""
    factors = unit_factors(sheet, base, _units(settings), findings)
    everywhere = np.ones(len(base), dtype=bool)
    data = read_data(
        sheet,
        factors,
        settings.default_cv,
        findings,
        needs_sd=everywhere if needs_sd is None else needs_sd,
    )
    replaced = {*data.columns, "unit", "cv"}
    kept = {name: column for name, column in sheet.frame.items() if name not in replaced}
    return frame_of(kept | dict(data.items()))


def _base(sheet: ParsedSheet) -> np.ndarray:
    """Return "mass" for levels, "rate" for changes and flows, None where that cannot be read."""
    base = np.where((sheet.frame["quantity"] == "level").to_numpy(), "mass", "rate").astype(object)
    base[sheet.is_bad("quantity")] = None
    return base


def _read_capacities(sheet: ParsedSheet, settings: Settings, findings: Findings) -> None:
    """Convert the capacities into the system's unit."""
    frame = sheet.frame
    factors = np.ones(len(frame))
    for i, text in enumerate(frame["capacity_unit"].tolist()):
        if text is None:
            continue
        try:
            unit = parse_unit(text)
        except UnitError as error:
            what, _, do = str(error).partition("; ")
            findings.error(what, do, text, sheet.place(i, "capacity_unit"))
            continue
        if unit.dimension == "share":
            advice = f"write {settings.unit.name} or a multiple of it"
            place = sheet.place(i, "capacity_unit")
            findings.error("capacity_unit: not a mass per year", advice, text, place)
        factors[i] = unit.size / settings.unit.size
    sheet.put("capacity", frame["capacity"] * factors)
    named = frame["capacity_unit"].where(frame["capacity"].isna(), settings.unit.name)
    sheet.put("capacity_unit", named)
    checks.check_names(sheet, "capacity_substance", settings.layers, "substances", findings)


def _read_flows(
    sheet: ParsedSheet, processes: ParsedSheet, settings: Settings, findings: Findings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return topology and data of the sheet ``flows``."""
    checks.fill_substances(sheet, settings.layers, findings)
    checks.check_flow_ends(sheet, processes.frame, findings)
    flows = checks.fill_flow_ends(sheet, findings)
    checks.check_flow_values(sheet, flows, findings)
    checks.warn_gaps(sheet, settings.layers, findings)
    checks.warn_dead_ends(processes, flows, findings)
    checks.warn_uncounted_scrap(sheet, flows, processes.frame, findings)
    checks.warn_uncounted_end_of_life(sheet, flows, processes.frame, findings)
    if sheet.frame.empty and processes.frame.empty and not findings.unknown:
        what, do = "nothing is filled in yet", "fill in the sheets 'processes' and 'flows'"
        findings.warning(what, do, None, "processes!2")
    elif sheet.frame.empty and "flows" not in findings.unknown:
        findings.error("there are no flows", "add a row for each flow and year", None, "flows!2")
    base = np.full(len(sheet.frame), "rate", dtype=object)
    data = _with_data(sheet, base, settings, findings)
    ends = ["from", "to", "role", "name", "name_ja"]
    return flows, data.drop(columns=ends)


def _read_relations(
    parsed: dict[str, ParsedSheet],
    processes: pd.DataFrame,
    flows: list[str],
    settings: Settings,
    findings: Findings,
) -> dict[str, pd.DataFrame]:
    """Return stocks, coefficients, compositions and observations in the system's unit."""
    layers = settings.layers
    relations.check_stocks(parsed["stocks"], processes, layers, findings)
    data = parsed["flows"].frame
    relations.check_coefficients(parsed["coefficients"], flows, data, layers, findings)
    relations.check_compositions(parsed["compositions"], flows, data, layers, findings)
    first = relations.check_observations(parsed["observations"], flows, processes, layers, findings)
    out = {}
    out["stocks"] = _with_data(parsed["stocks"], _base(parsed["stocks"]), settings, findings)
    for name in ("coefficients", "compositions"):
        base = np.full(len(parsed[name].frame), "share", dtype=object)
        out[name] = _with_data(parsed[name], base, settings, findings)
        relations.warn_large_shares(parsed[name], out[name], findings)
    sheet = parsed["observations"]
    soft = first & (sheet.frame["relation"] == "=").to_numpy() & ~sheet.is_bad("relation")
    out["observations"] = _with_data(sheet, _base(sheet), settings, findings, soft)
    return out


def _check_other(
    parsed: ParsedSheet, names: Mapping[str, Iterable[str]], findings: Findings
) -> None:
    """Check the names and units that the remaining sheets of the format use."""
    columns = {"process": "processes", "substance": "substances"}
    if parsed.name == "origins":
        columns["flow"] = "flows"
    for column, source in columns.items():
        if column in parsed.letters:
            checks.check_names(parsed, column, names[source], source, findings)
    if "unit" in parsed.letters:  # whether mass or share is up to whoever uses it
        anything = np.full(len(parsed.frame), None, dtype=object)
        unit_factors(parsed, anything, {}, findings)


def assemble(
    sheets: Mapping[str, RawSheet], findings: Findings, values: Values = "observed"
) -> dict[str, Any]:
    """Return the tables of a System, by the names of its attributes.

    Parameters
    ----------
    sheets : mapping of str to RawSheet
        The sheets as they stand in the file, by name.
    findings : Findings
        Collects every problem; the tables are of use only if it has not ``failed``.
    values : {"observed", "reconciled"}
        What to take from a results workbook: what was observed, or the results as exact.
    """
    found, others = _sort_out(sheets, findings)
    found = prefer(found, sheets, values, findings)
    parsed = {
        spec.name: parse_sheet(found[spec.name], spec, findings)
        for spec in SHEETS
        if spec.name in found
    }
    for name in _CORE:
        if name not in parsed:
            quiet = Findings()
            parsed[name] = parse_sheet(_empty(name), SHEET[name], quiet)
    settings = read_settings(parsed["system"], findings)
    checks.check_processes(parsed["processes"], findings)
    _read_capacities(parsed["processes"], settings, findings)
    processes = parsed["processes"].frame
    flows, data = _read_flows(parsed["flows"], parsed["processes"], settings, findings)
    check_regions(parsed["processes"], flows, settings.region, findings)
    ids = flows["flow"].tolist()
    tables = _read_relations(parsed, processes, ids, settings, findings)
    rest = {name: sheet for name, sheet in parsed.items() if name not in _CORE}
    names: dict[str, Iterable[str]] = {
        "processes": processes["process"],
        "flows": ids,
        "substances": settings.layers,
    }
    if "lifetimes" in rest:
        years = data["year"].to_numpy(dtype=np.float64)
        check_lifetimes(rest["lifetimes"], processes, settings.layers, years, findings)
    for name, sheet in rest.items():
        if name != "lifetimes":
            _check_other(sheet, names, findings)
    check_supplies(rest, processes, data, settings, findings)
    if not findings.failed:
        for frame in (data, tables["stocks"], tables["observations"]):
            frame["year"] = frame["year"].astype(np.int64)
    return {
        "settings": settings,
        "processes": processes,
        "flows": flows,
        "data": data,
        **tables,
        "tables": {name: sheet.frame for name, sheet in rest.items()},
        "sheets": {n: as_input(raw) if n in REPLACED else raw for n, raw in found.items()} | others,
    }
