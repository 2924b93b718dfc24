"""The sheets about supply: origins, producers, countries, shocks, stockpiles, substitutions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from mfa.errors import UnitError, near
from mfa.schema import SENDERS, STAGES, fold
from mfa.system.checks import check_duplicates
from mfa.system.data import Checker
from mfa.system.findings import Findings
from mfa.system.parsed import ParsedSheet
from mfa.system.settings import Settings
from mfa.units import parse_unit

_GAP = 0.02
_OTHER = ("other", "others", "othercountries", "restofworld", "rest", "notspecified", "unknown")
_OTHER_JA = ("その他", "その他の国", "他国", "不明")


def is_other(party: object) -> bool:
    """Return whether a country or company stands for all that are not named.

    Examples
    --------
    >>> is_other("Other countries"), is_other("その他"), is_other(None), is_other("Chile")
    (True, True, True, False)
    """
    return (
        party is None or party != party or fold(str(party)) in {"", *_OTHER, *map(fold, _OTHER_JA)}
    )


def check_supplies(
    parsed: Mapping[str, ParsedSheet],
    processes: pd.DataFrame,
    data: pd.DataFrame,
    settings: Settings,
    findings: Findings,
) -> None:
    """Note what is impossible in the sheets about supply, and convert their masses.

    Parameters
    ----------
    parsed : mapping of str to ParsedSheet
        The sheets by name, those about supply among them or not.
    processes, data : DataFrame
        Processes, and the data of flows in the system's unit.
    settings : Settings
    findings : Findings
    """
    if "origins" in parsed:
        _check_origins(parsed["origins"], data, settings, findings)
    if "producers" in parsed:
        sheet = parsed["producers"]
        sheet.fill("substance", settings.substances[0])
        _check_parties(sheet, ["stage", "substance", "year"], settings, findings)
    countries = _check_countries(parsed, findings)
    if "stockpiles" in parsed:
        _check_stockpiles(parsed["stockpiles"], settings, findings)
    flows = [name for name in data["flow"].unique().tolist() if name is not None]
    if "shocks" in parsed:
        _check_shocks(parsed["shocks"], processes, flows, countries, findings)
    if "substitutions" in parsed:
        _check_substitutions(parsed["substitutions"], processes, flows, countries, findings)


def _convert(sheet: ParsedSheet, settings: Settings) -> np.ndarray:
    """Write values in the system's unit or as plain shares; return where they are shares.

    Units that cannot be read are reported already.
    """
    units = sheet.frame["unit"].tolist()
    factors, shares = np.ones(len(units)), np.zeros(len(units), dtype=bool)
    for i, text in enumerate(units):
        try:
            unit = settings.unit if text is None else parse_unit(text)
        except UnitError:
            continue
        shares[i] = unit.dimension == "share"
        factors[i] = unit.size / (1.0 if shares[i] else settings.unit.size)
    sheet.put("value", sheet.frame["value"].to_numpy(dtype=float) * factors)
    named = np.where(shares, "1", settings.unit.mass.name).astype(object)
    sheet.put("unit", named)
    return shares


def _check_parties(
    sheet: ParsedSheet, keys: list[str], settings: Settings, findings: Findings
) -> pd.DataFrame:
    """Check rows that part a whole among countries and companies; return the sum of each whole.

    Returns
    -------
    DataFrame
        By the keys: total, is_share, and the position of the first row.
    """
    check, shares = Checker(sheet, findings), _convert(sheet, settings)
    frame = sheet.frame
    value = frame["value"].to_numpy(dtype=float)
    check.error(value < 0, "value", "negative supply of '{country}'", "write at least 0")
    parties = ["country", "company", *(["commodity"] if "commodity" in frame else [])]
    check_duplicates(
        sheet, [*keys, *parties], "a second row for the same supplier", "add the two up", findings
    )
    key = [frame[name].astype(object).where(frame[name].notna(), "") for name in keys]
    groups = pd.DataFrame({"value": value, "share": shares}).groupby(key, sort=False)
    known = ~np.isnan(value)
    kinds = pd.Series(shares).where(known).groupby(key, sort=False)  # a blank has no kind
    mixed = (kinds.transform("nunique") > 1).to_numpy()
    what = "shares and masses of one whole are mixed"
    check.error(mixed & known & shares, "unit", what, "write all in one unit")
    several = (groups["value"].transform("size") > 1).to_numpy()
    check.warning(
        ~known & several,
        "value",
        "'{country}' has no value and is left out of the shares",
        "write how much it supplies, or remove the row",
    )
    first = pd.Series(np.arange(len(frame))).groupby(key, sort=False).first()
    return pd.DataFrame(
        {"total": groups["value"].sum(min_count=1), "is_share": groups["share"].all(), "row": first}
    )


def _check_origins(
    sheet: ParsedSheet, data: pd.DataFrame, settings: Settings, findings: Findings
) -> None:
    """Check who supplies each import, and whether that adds up to what the import is said to be."""
    check = Checker(sheet, findings)
    equity = sheet.frame["equity"]
    outside = ((equity < 0) | (equity > 1)).to_numpy()
    check.error(outside, "equity", "not a share", "write 0 to 1")
    if not len(sheet.frame):
        return
    wholes = _check_parties(sheet, ["flow", "year"], settings, findings)
    reported = data[data["value"].notna() & data["substance"].isin(settings.layers)]
    order = {name: i for i, name in enumerate((*settings.substances, settings.layers[0]))}
    reported = reported.assign(order=reported["substance"].map(order)).sort_values(
        "order", kind="stable"
    )
    flows = reported.groupby(["flow", "year"], sort=False)["value"].first().to_dict()
    for (flow, year), total, share, row in wholes.itertuples(name=None):
        if np.isnan(total) or sheet.is_bad("value", "unit", "flow", "year")[row]:
            continue
        whole = 1.0 if share else flows.get((flow, year))
        if whole and abs(total / whole - 1) > _GAP:
            of = "1" if share else f"the {whole:g} {settings.unit.name} of the flow"
            when = f" in {year:g}" if year != "" else ""
            findings.warning(
                f"the origins of the flow {flow!r}{when} add up to {total:g}, not to {of}",
                "add the missing ones (Other where nobody knows), or correct the unit",
                None,
                sheet.place(int(row), "value"),
            )


def _check_countries(parsed: Mapping[str, ParsedSheet], findings: Findings) -> list[str]:
    """Check the sheet ``countries``; return the names of all countries and groups of them."""
    names: list[str] = []
    if "countries" in parsed:
        sheet = parsed["countries"]
        what = "the country stands twice"
        check_duplicates(sheet, ["country"], what, "keep one row", findings)
        negative = (sheet.frame["trade_adjustment"] < 0).to_numpy()
        check = Checker(sheet, findings)
        check.error(negative, "trade_adjustment", "a negative factor", "write at least 0")
        names += [*sheet.frame["country"].dropna(), *sheet.frame["group"].dropna()]
    for sheet in (parsed[name] for name in ("origins", "producers") if name in parsed):
        names += sheet.frame["country"].dropna().tolist()
    return list(dict.fromkeys(name for name in names if not is_other(name)))


def _check_stockpiles(sheet: ParsedSheet, settings: Settings, findings: Findings) -> None:
    """Check what is kept, and convert it into the system's unit of mass."""
    frame, check = sheet.frame, Checker(sheet, findings)
    sheet.fill("substance", settings.substances[0])
    both = (frame["value"].notna() & frame["days"].notna()).to_numpy()
    neither = (frame["value"].isna() & frame["days"].isna()).to_numpy()
    check.error(both, "days", "both a mass and days are given", "write one of the two", ["value"])
    check.warning(
        neither,
        "process",
        "the stockpile at '{process}' has no size and counts for nothing",
        "write value or days",
        ["value", "days"],
    )
    for column in ("value", "days", "release_per_month"):
        negative = (frame[column] < 0).to_numpy()
        check.error(negative, column, f"negative {column}", "write at least 0")
    large = (frame["release_per_month"] > 1).to_numpy()
    what = "more than the whole stock in a month"
    check.error(large, "release_per_month", what, "write a share from 0 to 1")
    do = "keep one row"
    check_duplicates(
        sheet, ["process", "substance"], "a second stockpile of the same", do, findings
    )
    factors = np.ones(len(frame))
    for i, text in enumerate(frame["unit"].tolist()):
        try:
            unit = settings.unit.mass if text is None else parse_unit(text)
        except UnitError:
            continue
        if unit.dimension != "mass":
            place = sheet.place(i, "unit")
            findings.error("unit: a stock is a mass", "write kt, t …", text, place)
        factors[i] = unit.size / settings.unit.size
    sheet.put("value", frame["value"].to_numpy(dtype=float) * factors)
    sheet.put("unit", np.full(len(frame), settings.unit.mass.name, dtype=object))


def _check_shocks(
    sheet: ParsedSheet,
    processes: pd.DataFrame,
    flows: list[str],
    countries: list[str],
    findings: Findings,
) -> None:
    """Check that what may be lost exists, and that shares and months are possible."""
    frame, check = sheet.frame, Checker(sheet, findings)
    for column in ("share", "probability"):
        outside = ((frame[column] < 0) | (frame[column] > 1)).to_numpy()
        check.error(outside, column, "not a share", "write 0 to 1")
    none = (frame["months"] <= 0).to_numpy()
    check.error(none, "months", "a shock that does not last", "write how many months")
    for column in ("target", "item", "share", "months"):
        check.warning(
            frame[column].isna().to_numpy(),
            "shock",
            f"the shock '{{shock}}' has no {column} and cannot be worked out",
            f"write its {column}",
            [column],
        )
    known = {
        "flow": flows,
        "process": processes["process"].dropna().tolist(),
        "stage": list(STAGES),
        "country": [*countries, *suppliers(processes)],
    }
    for i, (target, item) in enumerate(zip(frame["target"], frame["item"], strict=True)):
        if item is None or target not in known or sheet.is_bad("target", "item")[i]:
            continue
        sheets = {"flow": "flows", "process": "processes"}.get(target, "")
        if item not in known[target] and sheets not in findings.unknown:
            advice = near(item, known[target], f"add it, or correct the item of this {target}")
            note = findings.error if target != "country" or countries else findings.warning
            note(f"item: no such {target}", advice, item, sheet.place(i, "item"))


def suppliers(processes: pd.DataFrame) -> list[str]:
    """Return ids, names and regions of all that only send: each may be called a country."""
    sends = processes[processes["kind"].isin(SENDERS)]
    return [*sends["process"].dropna(), *sends["name"].dropna(), *filter(None, sends["region"])]


def _check_substitutions(
    sheet: ParsedSheet,
    processes: pd.DataFrame,
    flows: Iterable[str],
    countries: Iterable[str],
    findings: Findings,
) -> None:
    """Check that what stands in for what exists, and that shares and delays are possible."""
    frame, check = sheet.frame, Checker(sheet, findings)
    names = [*flows, *countries, *suppliers(processes)]
    unknown = findings.unknown & {"flows", "processes"}
    for column in ("from", "to"):
        for i, name in enumerate(frame[column].tolist()):
            if name is None or name in names or unknown or sheet.is_bad(column)[i]:
                continue
            advice = near(name, names, "add it, or correct the name")
            what = f"{column}: no such flow, supplier or country"
            findings.error(what, advice, name, sheet.place(i, column))
    same = (frame["from"] == frame["to"]).to_numpy()
    check.error(same, "to", "'{to}' cannot stand in for itself", "name another", ["from"])
    outside = ((frame["share"] < 0) | (frame["share"] > 1)).to_numpy()
    check.error(outside, "share", "not a share", "write 0 to 1")
    negative = (frame["delay_months"] < 0).to_numpy()
    check.error(negative, "delay_months", "negative delay", "write at least 0")
    check_duplicates(sheet, ["from", "to"], "the substitution stands twice", "keep one", findings)
