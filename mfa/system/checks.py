"""What the sheets must agree on: names that exist, rows that do not repeat, flows that fit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from mfa.errors import near
from mfa.schema import GOODS, RECEIVERS, SCRAP_ROLES, SENDERS
from mfa.system.columns import Coded, spread
from mfa.system.data import Checker, plain
from mfa.system.findings import Findings
from mfa.system.parsed import ParsedSheet

_MOST_GAPS = 50
_LARGEST = 2**62
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
    texts = sheet.coded(column)
    present = spread(pd.Index(texts.values, dtype=object).isin(names), texts.codes, True)
    noun = noun or _NOUNS[source]
    advice: dict[str, str] = {}
    absent = np.flatnonzero(~present).tolist()
    for i in absent:
        text = str(texts.values[texts.codes[i]])
        if text not in advice:
            advice[text] = near(text, names, f"add it, or correct the {column}")
        findings.error(f"{column}: no such {noun}", advice[text], text, sheet.place(i, column))
    return present


def fill_substances(sheet: ParsedSheet, layers: tuple[str, ...], findings: Findings) -> None:
    """Write the default substance into blank cells and note unknown ones."""
    sheet.fill("substance", layers[1])
    check_names(sheet, "substance", layers, "substances", findings)


def _combined(sheet: ParsedSheet, keys: list[str]) -> np.ndarray:
    """Return an integer for each row that only rows with the same keys share; blanks are alike."""
    out = np.zeros(len(sheet.frame), dtype=np.int64)
    most = 1
    for cells in map(sheet.coded, keys):
        n = len(cells.values) + 1
        if most * n > _LARGEST:
            out, before = pd.factorize(out)
            most = len(before)
        out = out * n + cells.codes + 1
        most *= n
    return out


def check_duplicates(
    sheet: ParsedSheet, keys: list[str], what: str, do: str, findings: Findings
) -> None:
    """Note every row that repeats the key of an earlier one, and say which."""
    good = ~sheet.is_bad(*keys)
    numbers = _combined(sheet, keys)[good]
    if not pd.Series(numbers).duplicated().any():
        return
    frame = sheet.frame.loc[good, keys]
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
    sheet.fill("kind", "process")
    named = ("name", "name_ja", "stage", "group", "group_ja", "region", "region_ja", "note")
    for column in named:
        sheet.fill(column, "")
    sheet.put("name", frame["name"].where(frame["name"] != "", frame["process"]))
    stock = np.array([bool(cell) for cell in frame["stock"].tolist()], dtype=bool)
    sheet.put("stock", stock | sheet.is_bad("stock"))  # what cannot be read may well mean yes
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
    check = Checker(sheet, findings)
    flows, names = sheet.coded("flow").codes, sheet.coded("flow").values
    start = _first_rows(flows, len(names), flows >= 0)
    out = {"flow": names}
    for column in ("from", "to", "role", "name", "name_ja"):
        given = sheet.coded(column)
        there = ~given.blank & (flows >= 0)
        first = _first_rows(flows, len(names), there)
        kept = spread(given.codes, np.where(first < len(given), first, -1), -1)
        matters = column in ("from", "to", "role")
        (check.error if matters else check.warning)(
            there & (given.codes != spread(kept, flows, -1)),
            column,
            f"{column} differs from an earlier row of the flow '{{flow}}'"
            + ("" if matters else ", which is kept"),
            "repeat the same, or leave the cell blank",
        )
        if column in ("from", "to"):
            doubtful = np.isin(flows, flows[sheet.is_bad(column)])
            check.error(
                (np.arange(len(flows)) < spread(first, flows, 0)) & (flows >= 0) & ~doubtful,
                column,
                f"{column} is blank and no earlier row of the flow '{{flow}}' gives it",
                "write the process it comes from or goes to",
            )
            kept = np.where(first == start, kept, -1)
        out[column] = spread(given.values, kept, None if column in ("from", "to") else "")
    return pd.DataFrame(out, dtype=object)


def _first_rows(codes: np.ndarray, n: int, mask: np.ndarray) -> np.ndarray:
    """Return the first row of the mask that has each code from 0 to n − 1, the length if none."""
    out = np.full(n, len(codes))
    rows = np.flatnonzero(mask)[::-1]
    out[codes[rows]] = rows  # of several, the last assignment holds
    return out


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
        ends = sheet.coded(column)
        kind = kinds.reindex(pd.Index(ends.values, dtype=object))
        check.error(
            spread(kind.isin(wrong).to_numpy(), ends.codes, False),
            column,
            f"'{{{column}}}' only {verb}, being of kind " + " or ".join(wrong),
            "turn the flow round, or change the kind of the process",
        )
    roles = sheet.coded("role")
    for code, role in enumerate(roles.values):
        if sum(part in SCRAP_ROLES for part in role.split(",")) > 1:
            check.error(
                roles.codes == code,
                "role",
                "a flow has at most one of the roles " + ", ".join(SCRAP_ROLES),
                "keep one of them",
            )


def check_flow_values(sheet: ParsedSheet, flows: pd.DataFrame, findings: Findings) -> None:
    """Note rows that repeat a flow, substance and year, and negative values."""
    check_duplicates(
        sheet,
        ["flow", "substance", "year"],
        "a second row for the same flow, substance and year",
        "remove one; a second source for the same number goes to the sheet 'observations'",
        findings,
    )
    frame = sheet.frame
    either_way = flows.loc[flows["role"].str.contains("discrepancy"), "flow"]
    negative = (frame["value"] < 0).to_numpy() & ~(frame["min"] < 0).to_numpy()
    rows = np.flatnonzero(negative)
    negative[rows] = ~frame["flow"].iloc[rows].isin(either_way).to_numpy()
    Checker(sheet, findings).error(
        negative,
        "value",
        "negative flow '{flow}' in {year}",
        "turn the flow round, or give it a negative min if it may run both ways",
        ["min"],
    )


def warn_gaps(sheet: ParsedSheet, layers: tuple[str, ...], findings: Findings) -> None:
    """Warn of flows that have rows for some of the system's years or substances only."""
    flow, substance, year = (sheet.coded(name) for name in ("flow", "substance", "year"))
    whole = ~(flow.blank | substance.blank | year.blank)
    if not whole.any():
        return
    rows = np.flatnonzero(whole & spread(substance.values != GOODS, substance.codes, False))
    years = np.sort(year.values[_among(year, whole)])
    there = set(substance.values[_among(substance, whole)])
    present = [name for name in layers[1:] if name in there]
    absent = [name for name in layers[1:] if name not in present]
    if absent and "substances" not in findings.unknown:
        names = ", ".join(map(repr, absent))
        what = f"no flow has a row for {names}: none is in the system"
        findings.warning(what, "add rows, or leave it out of 'substances'", None, "flows")
    different = rows[~pd.Series(_combined(sheet, ["flow", "substance", "year"])[rows]).duplicated()]
    counts = np.bincount(flow.codes[different], minlength=len(flow.values))
    gaps = np.flatnonzero(_among(flow, whole) & (counts < len(years) * len(present)))
    first = _first_rows(flow.codes, len(flow.values), ~flow.blank)
    for k in gaps[:_MOST_GAPS].tolist():
        own = rows[flow.codes[rows] == k]
        missing = []
        for name in present:
            of = own[substance.values[substance.codes[own]] == name]
            have = set(year.values[year.codes[of]])
            lack = [f"{when:g}" for when in years if when not in have]
            if lack:
                every = len(lack) == len(years)
                missing.append(f"{name} in " + ("any year" if every else ", ".join(lack)))
        what = f"the flow {flow.values[k]!r} has no row for " + "; ".join(missing)
        findings.warning(
            f"{what}: it carries none there",
            "add rows: a blank value if it is unknown, 0 with sd 0 if there is none",
            None,
            sheet.place(int(first[k]), "flow"),
        )
    if len(gaps) > _MOST_GAPS:
        more = len(gaps) - _MOST_GAPS
        findings.warning(f"{more} more flows have no row for some substance or year", "see above")


def _among(column: Coded, rows: np.ndarray) -> np.ndarray:
    """Return which of a column's values stand in some rows."""
    return np.bincount(column.codes[rows], minlength=len(column.values)) > 0


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
    codes, different = pd.factorize(flows["role"])
    lists = [set(role.split(",")) for role in different]

    def having(*roles: str) -> np.ndarray:
        return np.array([not parts.isdisjoint(roles) for parts in lists], dtype=bool)[codes]

    own, mixed = having("old_scrap", "new_scrap"), having("scrap")
    names = sheet.coded("flow")
    first = _first_rows(names.codes, len(names.values), ~names.blank)
    row = dict(zip(names.values, first.tolist(), strict=True))
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
    silent = ~having(*SCRAP_ROLES, "loss", "discrepancy")
    leaves = inside & stage.isin(lane) & ~flows["to"].map(ends["stage"]).isin(lane) & silent
    for flow, role in flows.loc[leaves, ["flow", "role"]].itertuples(index=False):
        what = f"the flow {flow!r} leaves the scrap lane, but not as scrap: nothing counts it as "
        do = "give it the role scrap; or, if metal is made there, give the process the stage "
        place = sheet.place(row[flow], "role")
        findings.warning(f"{what}recycled", f"{do}smelting or refining", role or None, place)


def warn_uncounted_end_of_life(
    sheet: ParsedSheet, flows: pd.DataFrame, processes: pd.DataFrame, findings: Findings
) -> None:
    """Warn of old scrap that leaves use beside end-of-life flows without being one itself."""
    used = processes.loc[processes["stage"] == "use", "process"]
    leaves = flows["from"].isin(used).to_numpy(dtype=bool)
    roles = flows["role"].str.split(",")
    generated = roles.map(lambda parts: "end_of_life" in parts).to_numpy(dtype=bool)
    old = roles.map(lambda parts: "old_scrap" in parts).to_numpy(dtype=bool)
    beside = flows["from"].isin(flows.loc[leaves & generated, "from"]).to_numpy(dtype=bool)
    for flow, role in flows.loc[leaves & old & ~generated & beside, ["flow", "role"]].itertuples(
        index=False
    ):
        what = (
            f"the flow {flow!r} is old scrap straight from use without the role end_of_life, which "
            "other flows from there have: rates count it as collected, but not as generated"
        )
        row = sheet.frame.index[(sheet.frame["flow"] == flow).to_numpy(dtype=bool)]
        findings.warning(
            what, "give it the roles end_of_life,old_scrap", role, sheet.place(int(row[0]), "role")
        )
