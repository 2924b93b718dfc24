"""What the sheets must agree on: names that exist, rows that do not repeat, flows that fit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from mfa.errors import near
from mfa.schema import GOODS, RECEIVERS, SCRAP_ROLES, SENDERS
from mfa.system.cells import ParsedSheet
from mfa.system.data import Checker, plain
from mfa.system.findings import Findings

_MOST_GAPS = 50
_NOUNS = {"processes": "process", "flows": "flow", "substances": "substance of the system"}


def check_names(
    sheet: ParsedSheet,
    column: str,
    known: Iterable[str],
    source: str,
    findings: Findings,
    noun: str = "",
) -> np.ndarray:
    """Note every name in a column that does not exist; return where the names do.

    Blank cells count as existing: whether they may be blank is another question. So does every
    name if nobody knows what exists, because that is not in the file or cannot be read.

    Parameters
    ----------
    sheet : ParsedSheet
    column : str
    known : iterable of str
        The names that exist.
    source : {"processes", "flows", "substances"}
        Where they come from.
    findings : Findings
    noun : str
        What they are called, where that is not what ``source`` holds.
    """
    if source in findings.unknown:
        return np.ones(len(sheet.frame), dtype=bool)
    names = [name for name in known if name is not None]
    texts = sheet.frame[column]
    present = (texts.isna() | texts.isin(names)).to_numpy()
    noun = noun or _NOUNS[source]
    advice: dict[str, str] = {}
    absent = np.flatnonzero(~present).tolist()
    for i, text in zip(absent, texts.iloc[absent].astype(str).tolist(), strict=True):
        if text not in advice:
            advice[text] = near(text, names, f"add it, or correct the {column}")
        findings.error(f"{column}: no such {noun}", advice[text], text, sheet.place(i, column))
    return present


def fill_substances(sheet: ParsedSheet, layers: tuple[str, ...], findings: Findings) -> None:
    """Write the default substance into blank cells and note unknown ones."""
    column = sheet.frame["substance"]
    sheet.frame["substance"] = column.where(column.notna(), layers[1])
    check_names(sheet, "substance", layers, "substances", findings)


def check_duplicates(
    sheet: ParsedSheet, keys: list[str], what: str, do: str, findings: Findings
) -> None:
    """Note every row that repeats the key of an earlier one, and say which."""
    frame = sheet.frame.loc[~sheet.is_bad(*keys), keys]
    if not frame.duplicated().any():
        return
    first: dict[tuple[object, ...], int] = {}
    rows = frame.index.tolist()
    for i, cells in zip(rows, zip(*(frame[k].tolist() for k in keys), strict=True), strict=True):
        key = tuple(map(plain, cells))  # blank years are alike
        if first.setdefault(key, i) == i:
            continue
        origin = sheet.place(first[key], keys[0]).partition("!")[2]
        shown = ", ".join(str(part) for part in key if part is not None)
        place = sheet.place(i, keys[0])
        findings.error(f"{what}; the first stands at {origin}", do, shown, place)


def check_processes(sheet: ParsedSheet, findings: Findings) -> None:
    """Fill the defaults of the sheet ``processes`` and note what is impossible."""
    frame, check = sheet.frame, Checker(sheet, findings)
    check_duplicates(
        sheet, ["process"], "the process stands twice", "give every process its own id", findings
    )
    frame["kind"] = frame["kind"].where(frame["kind"].notna(), "process")
    named = ("name", "name_ja", "stage", "group", "group_ja", "region", "region_ja", "note")
    for column in named:
        frame[column] = frame[column].where(frame[column].notna(), "")
    frame["name"] = frame["name"].where(frame["name"] != "", frame["process"])
    stock = np.array([bool(cell) for cell in frame["stock"].tolist()], dtype=bool)
    frame["stock"] = stock | sheet.is_bad("stock")  # what cannot be read may well mean yes
    outside = (frame["kind"] != "process").to_numpy()
    check.error(
        outside & stock,
        "stock",
        "a process of kind {kind} lies outside the boundary and has no stock here",
        "clear the cell, or make it kind process",
    )
    check.error(
        (frame["capacity"] < 0).to_numpy(), "capacity", "negative capacity", "write at least 0"
    )


def fill_flow_ends(sheet: ParsedSheet, findings: Findings) -> pd.DataFrame:
    """Fill blank ``from``, ``to``, ``role`` from earlier rows; return one row per flow.

    Returns
    -------
    DataFrame
        flow, from, to, role, name, name_ja in the order in which flows first appear.
    """
    frame, check = sheet.frame, Checker(sheet, findings)
    flows = frame["flow"]
    for column in ("from", "to", "role", "name", "name_ja"):
        given = frame[column]
        first = given.groupby(flows, sort=False).transform("first")
        matters = column in ("from", "to", "role")
        (check.error if matters else check.warning)(
            (given.notna() & (given != first) & flows.notna()).to_numpy(),
            column,
            f"{column} differs from an earlier row of the flow '{{flow}}'"
            + ("" if matters else ", which is kept"),
            "repeat the same, or leave the cell blank",
        )
        if column in ("from", "to"):
            filled = given.groupby(flows, sort=False).ffill()
            doubtful = flows.isin(flows[sheet.is_bad(column)])
            check.error(
                (filled.isna() & flows.notna() & ~doubtful).to_numpy(),
                column,
                f"{column} is blank and no earlier row of the flow '{{flow}}' gives it",
                "write the process it comes from or goes to",
            )
            frame[column] = filled
        else:
            frame[column] = first.where(first.notna(), "")
    ends = ["flow", "from", "to", "role", "name", "name_ja"]
    named = frame.loc[flows.notna(), ends]
    return named.drop_duplicates("flow").reset_index(drop=True)


def check_flow_ends(sheet: ParsedSheet, processes: pd.DataFrame, findings: Findings) -> None:
    """Note ends that do not exist, flows against the direction of their ends, and bad roles.

    Only what is written counts, not what blank cells take over from the rows above.
    """
    check = Checker(sheet, findings)
    named = processes[processes["process"].notna()]
    kinds = named.drop_duplicates("process").set_index("process")["kind"]
    noun = "process; it is not in the sheet 'processes'"
    for column, wrong, verb in (("from", RECEIVERS, "receives"), ("to", SENDERS, "sends")):
        check_names(sheet, column, kinds.index, "processes", findings, noun)
        kind = sheet.frame[column].map(kinds)
        check.error(
            kind.isin(wrong).to_numpy(),
            column,
            f"'{{{column}}}' only {verb}, being of kind " + " or ".join(wrong),
            "turn the flow round, or change the kind of the process",
        )
    roles = sheet.frame["role"].dropna().drop_duplicates()
    for role in roles[roles.str.contains(",")]:
        if sum(part in SCRAP_ROLES for part in role.split(",")) > 1:
            check.error(
                (sheet.frame["role"] == role).to_numpy(),
                "role",
                "a flow has at most one of the roles " + ", ".join(SCRAP_ROLES),
                "keep one of them",
            )


def check_flow_values(sheet: ParsedSheet, findings: Findings) -> None:
    """Note rows that repeat a flow, substance and year, and negative values."""
    check_duplicates(
        sheet,
        ["flow", "substance", "year"],
        "a second row for the same flow, substance and year",
        "remove one; a second source for the same number goes to the sheet 'observations'",
        findings,
    )
    frame = sheet.frame
    either_way = frame["role"].str.contains("discrepancy").to_numpy(dtype=bool)
    allowed = (frame["min"] < 0).to_numpy() | either_way
    Checker(sheet, findings).error(
        (frame["value"] < 0).to_numpy() & ~allowed,
        "value",
        "negative flow '{flow}' in {year}",
        "turn the flow round, or give it a negative min if it may run both ways",
        ["min"],
    )


def warn_gaps(sheet: ParsedSheet, layers: tuple[str, ...], findings: Findings) -> None:
    """Warn of flows that have rows for some of the system's years or substances only."""
    rows = sheet.frame[["flow", "substance", "year"]].dropna().drop_duplicates()
    if rows.empty:
        return
    years = np.sort(rows["year"].unique())
    present = [name for name in layers[1:] if (rows["substance"] == name).any()]
    absent = [name for name in layers[1:] if name not in present]
    if absent and "substances" not in findings.unknown:
        names = ", ".join(map(repr, absent))
        what = f"no flow has a row for {names}: none is in the system"
        findings.warning(what, "add rows, or leave it out of 'substances'", None, "flows")
    metal = rows[rows["substance"] != GOODS]
    counts = metal.groupby("flow", sort=False).size().reindex(rows["flow"].unique(), fill_value=0)
    gaps = counts[counts < len(years) * len(present)]
    some = gaps.index[:_MOST_GAPS]
    listed = sheet.frame.loc[sheet.frame["flow"].isin(some), "flow"].drop_duplicates()
    first = dict(zip(listed, listed.index, strict=True))
    for flow in some:
        group = metal[metal["flow"] == flow]
        missing = []
        for name in present:
            have = set(group.loc[group["substance"] == name, "year"])
            lack = [f"{year:g}" for year in years if year not in have]
            if lack:
                every = len(lack) == len(years)
                missing.append(f"{name} in " + ("any year" if every else ", ".join(lack)))
        findings.warning(
            f"the flow {flow!r} has no row for " + "; ".join(missing) + ": it carries none there",
            "add rows: a blank value if it is unknown, 0 with sd 0 if there is none",
            None,
            sheet.place(first[flow], "flow"),
        )
    if len(gaps) > _MOST_GAPS:
        more = len(gaps) - _MOST_GAPS
        findings.warning(f"{more} more flows have no row for some substance or year", "see above")


def warn_dead_ends(sheet: ParsedSheet, flows: pd.DataFrame, findings: Findings) -> None:
    """Warn of balanced processes that no flow reaches, or that cannot pass on what they get.

    Where an end of a flow is misspelt or cannot be read, nobody can tell.
    """
    processes = sheet.frame
    receives, sends = set(flows["to"]), set(flows["from"])
    if not receives | sends <= set(processes["process"].dropna()):
        return
    inside = processes[(processes["kind"] == "process") & ~sheet.is_bad("process", "kind")]
    for name, stock in zip(inside["process"].tolist(), inside["stock"].tolist(), strict=True):
        if name not in receives and name not in sends:
            findings.warning(f"no flow touches the process {name!r}", "remove it, or add its flows")
        elif stock:
            continue
        elif name not in sends:
            findings.warning(
                f"the process {name!r} receives but never sends: its inflows can only be 0",
                "make it kind sink or export, or give it a stock",
            )
        elif name not in receives:
            findings.warning(
                f"the process {name!r} sends but never receives: its outflows can only be 0",
                "make it kind source or import, or give it a stock",
            )


def warn_uncounted_scrap(
    sheet: ParsedSheet, flows: pd.DataFrame, processes: pd.DataFrame, findings: Findings
) -> None:
    """Warn of scrap whose role and origin do not go together, so that no indicator counts it."""
    ends = processes.drop_duplicates("process").set_index("process")
    kind, stage = flows["from"].map(ends["kind"]), flows["from"].map(ends["stage"])
    roles = flows["role"].fillna("").str.split(",")
    own = roles.map(lambda parts: not {"old_scrap", "new_scrap"}.isdisjoint(parts))
    mixed = roles.map(lambda parts: "scrap" in parts)
    first = sheet.frame["flow"].drop_duplicates()
    row = dict(zip(first, first.index, strict=True))
    for flow, role in flows.loc[own & (kind == "import"), ["flow", "role"]].itertuples(index=False):
        what = f"the flow {flow!r} is imported: no indicator counts it as old or new scrap"
        do = "give it the role scrap, so that it counts as imported scrap"
        findings.warning(what, do, role, sheet.place(row[flow], "role"))
    lane = ["collection", "sorting", "recycling"]
    makes = (kind == "process") & ~stage.isin([*lane, "trade"])
    for flow, role in flows.loc[mixed & makes, ["flow", "role"]].itertuples(index=False):
        what = f"the flow {flow!r} is mixed scrap straight from where it arises: nothing counts it"
        do = "give it the role new_scrap, old_scrap or home_scrap"
        findings.warning(what, do, role, sheet.place(row[flow], "role"))
    inside = (kind == "process") & (flows["to"].map(ends["kind"]) == "process")
    silent = roles.map({*SCRAP_ROLES, "loss", "discrepancy"}.isdisjoint)
    leaves = inside & stage.isin(lane) & ~flows["to"].map(ends["stage"]).isin(lane) & silent
    for flow, role in flows.loc[leaves, ["flow", "role"]].itertuples(index=False):
        what = f"the flow {flow!r} leaves the scrap lane, but not as scrap: nothing counts it as "
        do = "give it the role scrap; or, if metal is made there, give the process the stage "
        place = sheet.place(row[flow], "role")
        findings.warning(f"{what}recycled", f"{do}smelting or refining", role or None, place)
