"""Checks of the sheets that speak about flows: stocks, coefficients, compositions, observations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.errors import near
from mfa.schema import GOODS
from mfa.system.checks import check_duplicates, check_names, fill_substances
from mfa.system.data import Checker
from mfa.system.findings import Findings
from mfa.system.parsed import ParsedSheet


def check_stocks(
    sheet: ParsedSheet, processes: pd.DataFrame, layers: tuple[str, ...], findings: Findings
) -> None:
    """Note stocks of unknown processes, of processes without a stock, and repeated rows."""
    check = Checker(sheet, findings)
    fill_substances(sheet, layers, findings)
    check_names(sheet, "process", processes["process"], "processes", findings)
    named, stores = sheet.frame["process"], processes.loc[processes["stock"], "process"]
    check.error(
        (named.isin(processes["process"].dropna()) & ~named.isin(stores)).to_numpy(),
        "process",
        "the process '{process}' has no stock",
        "write yes in its column stock in the sheet 'processes', or remove this row",
    )
    check_duplicates(
        sheet,
        ["process", "substance", "year", "quantity"],
        "a second row for the same process, substance, year and quantity",
        "remove one; a second source for the same number goes to the sheet 'observations'",
        findings,
    )
    frame = sheet.frame
    negative = (frame["value"] < 0) & (frame["quantity"] == "level") & ~(frame["min"] < 0)
    check.error(
        negative.to_numpy(),
        "value",
        "negative stock level of '{process}' at the end of {year}",
        "a level is at least 0; a decrease is a negative change",
        ["min", "quantity"],
    )


def _check_flow_lists(sheet: ParsedSheet, flows: list[str], findings: Findings) -> None:
    if "flows" in findings.unknown:
        return
    known = set(flows)
    for i, cell in enumerate(sheet.frame["flow"].tolist()):
        for name in [] if cell is None else cell.split(","):
            if name not in known:
                advice = near(name, flows, "add it to the sheet 'flows'")
                findings.error("flow: no such flow", advice, name, sheet.place(i, "flow"))


def _idle(sheet: ParsedSheet, data: pd.DataFrame, *, both: bool) -> np.ndarray:
    """Return the shares that say nothing, because no row of the sheet ``flows`` fits them.

    Parameters
    ----------
    sheet : ParsedSheet
        Coefficients or compositions.
    data : DataFrame
        The rows of the sheet ``flows``.
    both : bool
        Whether a flow needs a row for goods beside that for the substance.
    """
    frame = sheet.frame
    lists = [[] if cell is None else cell.split(",") for cell in frame["flow"].tolist()]
    some = data.loc[data["flow"].isin({name for names in lists for name in names})]
    have: dict[str, set[tuple[str, float]]] = {}
    for flow, substance, year in some[["flow", "substance", "year"]].itertuples(index=False):
        have.setdefault(flow, set()).add((substance, year))

    def fits(flow: str, substance: str | None, year: float) -> bool:
        rows = have[flow]
        return any(
            substance in (None, s)
            and (np.isnan(year) or year == y)
            and (not both or (GOODS, y) in rows)
            for s, y in rows
        )

    keys = zip(lists, frame["substance"].tolist(), frame["year"].tolist(), strict=True)
    idle = [
        all(name in have for name in names) and not any(fits(name, s, y) for name in names)
        for names, s, y in keys
    ]
    return np.asarray(np.array(idle, dtype=bool) & ~sheet.is_bad("flow", "substance", "year"))


def check_coefficients(
    sheet: ParsedSheet,
    flows: list[str],
    data: pd.DataFrame,
    layers: tuple[str, ...],
    findings: Findings,
) -> None:
    """Note coefficients of flows that do not exist and rows that repeat each other."""
    frame, check = sheet.frame, Checker(sheet, findings)
    sheet.fill("of", "inputs")
    _check_flow_lists(sheet, flows, findings)
    names = ["inputs", "outputs", *flows]
    check_names(sheet, "of", names, "flows", findings, "flow, nor 'inputs' or 'outputs'")
    check_names(sheet, "substance", layers, "substances", findings)
    check_duplicates(
        sheet,
        ["coefficient", "flow", "of", "substance", "year"],
        "a second row for the same coefficient",
        "remove one; a second source gets an id of its own",
        findings,
    )
    idle = _idle(sheet, data, both=False)
    no_goods = (frame["substance"] == GOODS).to_numpy() & ~(data["substance"] == GOODS).any()
    what = "no flow of the coefficient '{coefficient}' has a row for its substance and year"
    do = "add rows to the sheet 'flows', with a blank value if it is unknown"
    check.error(idle & no_goods, "flow", what, do)
    check.warning(idle & ~no_goods, "flow", f"{what}: it says nothing", do)


def check_compositions(
    sheet: ParsedSheet,
    flows: list[str],
    data: pd.DataFrame,
    layers: tuple[str, ...],
    findings: Findings,
) -> None:
    """Note compositions of flows or substances that do not exist and repeated rows."""
    _check_flow_lists(sheet, flows, findings)
    check_names(sheet, "substance", layers, "substances", findings)
    check_duplicates(
        sheet,
        ["flow", "substance", "year"],
        "a second row for the same composition",
        "remove one",
        findings,
    )
    goods = (sheet.frame["substance"] == GOODS).to_numpy()
    check = Checker(sheet, findings)
    check.error(goods, "substance", "goods has no composition in itself", "name a substance")
    check.warning(
        _idle(sheet, data, both=True) & ~goods,
        "flow",
        "the composition says nothing: '{flow}' has no rows for both {substance} and goods",
        "add rows to the sheet 'flows', with a blank value if it is unknown",
    )


def warn_large_shares(sheet: ParsedSheet, data: pd.DataFrame, findings: Findings) -> None:
    """Warn of shares of a whole above 1, once units are taken into account.

    Of another flow, or where a stock adds to the inputs, a coefficient may well be larger.
    """
    large = (data["value"] > 1).to_numpy()
    what = "more {substance} than there are goods in '{flow}'"
    if sheet.name == "coefficients":
        large = large & sheet.frame["of"].isin(["inputs", "outputs"]).to_numpy()
        what = "the coefficient '{coefficient}' is more than all {of}"
    do = "write 92 % as 0.92, or as 92 with % in the column unit"
    Checker(sheet, findings).warning(large, "value", what, do, ["unit"])


def _check_statements(sheet: ParsedSheet, findings: Findings) -> np.ndarray:
    """Note statements that are not whole; return where the first row of each stands."""
    frame, check = sheet.frame, Checker(sheet, findings)
    named = frame["observation"].notna().to_numpy()
    first = ~frame["observation"].duplicated().to_numpy()
    later = ~first & named
    for column in ("value", "sd", "cv"):
        check.error(
            later & frame[column].notna().to_numpy(),
            column,
            f"{column} on a later row of the observation '{{observation}}'",
            "it stands on the statement's first row only",
        )
    check.error(
        first & frame["value"].isna().to_numpy() & named,
        "value",
        "the observation '{observation}' has no value",
        "write the value on its first row",
    )
    relation = frame["relation"].where(frame["relation"].notna())
    of_first = relation.groupby(frame["observation"], sort=False).transform("first")
    check.error(
        (relation.notna() & (relation != of_first)).to_numpy() & named,
        "relation",
        "the rows of the observation '{observation}' have different relations",
        "write the relation on its first row only",
    )
    sheet.put("relation", of_first.where(of_first.notna(), "="))
    hard = first & (frame["relation"] != "=").to_numpy()
    for column in ("sd", "cv"):
        check.error(
            hard & frame[column].notna().to_numpy(),
            column,
            "a limit (<= or >=) is hard and has no uncertainty",
            "clear the cell, or make the relation =",
            ["relation"],
        )
    return first


def check_observations(
    sheet: ParsedSheet,
    flows: list[str],
    processes: pd.DataFrame,
    layers: tuple[str, ...],
    findings: Findings,
) -> np.ndarray:
    """Note observations that make no statement; return a mask of each statement's first row."""
    frame, check = sheet.frame, Checker(sheet, findings)
    fill_substances(sheet, layers, findings)
    check_names(sheet, "flow", flows, "flows", findings)
    stores = processes.loc[processes["stock"], "process"]
    check_names(sheet, "process", stores, "processes", findings, "process with a stock")
    flow, process = frame["flow"].notna().to_numpy(), frame["process"].notna().to_numpy()
    check.error(
        flow == process,
        "flow",
        "a row names either a flow, or a process and a quantity",
        "fill in one of the two",
        ["process"],
    )
    check.error(
        process & frame["quantity"].isna().to_numpy(),
        "quantity",
        "no quantity of the process '{process}'",
        "write level or change",
    )
    check.error(
        (frame["factor"] == 0).to_numpy(), "factor", "factor 0", "remove the row, or correct it"
    )
    sheet.put("factor", frame["factor"].where(frame["factor"].notna(), 1.0))
    first = _check_statements(sheet, findings)
    value, cv = frame["value"].to_numpy(), frame["cv"].to_numpy()
    check.warning(
        first & (value == 0) & np.isnan(frame["sd"].to_numpy()) & ~(cv == 0),
        "value",
        "a relative uncertainty of the value 0 is 0: '{observation}' is taken as exact",
        "write sd if it is not",
        ["sd", "cv", "relation"],
    )
    return first
