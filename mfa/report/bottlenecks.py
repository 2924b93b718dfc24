"""The section on bottlenecks and what to do: classes, gains, measures, capacities, finance."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from mfa.recycling import capacity, gains, measures
from mfa.report import format as fmt
from mfa.report.page import Page
from mfa.sankey.figures import format_number
from mfa.supply import criteria, support

INDICATORS = ("eol_recycling_rate", "recycling_input_rate_total")
_REASONS = {
    "undetermined": "(?P<what>.+?) in (?P<flow>.+) is undetermined",
    "unknown": "(?P<what>.+?) in (?P<flow>.+) is not known, nor a composition of it",
    "none": "no (?P<what>.+) enters",
}
_MOST_GAINS = 5
_SMALLEST = 5e-4  # points per point: what two decimals can show


def what_to_do(page: Page) -> dict[str, Any]:
    """Return what the section says of the last year."""
    return {
        "supports": _support_rows(page),
        "gains": _gain_rows(page),
        "measures": _measure_rows(page),
        "capacities": _capacity_rows(page),
        "rules": _rule_rows(page),
        "year": page.year,
    }


def _several(page: Page) -> bool:
    return len(page.balance.system.substances) > 1


def _support_rows(page: Page) -> list[dict[str, Any]]:
    words = page.words
    names, rules = _names(page, "measure"), _names(page, "rule")
    out = []
    for row in support(page.balance).to_dict("records"):
        shown = fmt.plus_minus(row["value"], row["sd"])
        survey = page.flow_name(row["survey"]) if row["survey"] else ""
        is_leak = row["kind"] == "export leakage"
        name = words["scrap_exports"] if is_leak else page.process_name(row["item"])
        out.append(
            {
                "name": f"{name} ({row['substance']})" if _several(page) else name,
                "kind": words[f"bottleneck:{row['kind']}"],
                "text": shown or fmt.low_high(row["low"], row["high"], words),
                "probability": fmt.chance(row["probability"]),
                "measures": _split(row["measures"], names),
                "survey": words["survey_first"].format(name=survey) if survey else "",
                "finance": _split(row["finance"], rules),
            }
        )
    return out


def _split(listed: str, names: dict[str, str]) -> list[str]:
    return [names.get(one, one) for one in listed.split("; ") if one]


def _gain_rows(page: Page) -> list[dict[str, Any]]:
    """Return for each headline indicator the shares whose rise brings most, or costs most."""
    table = gains(page.balance, page.year)
    table = table[table["substance"] == page.substance]
    out = []
    for indicator in INDICATORS:
        here = table[table["indicator"] == indicator]
        size = here["value"].fillna((here["low"] + here["high"]) / 2)
        here = here[size > _SMALLEST].head(_MOST_GAINS)
        if len(here):
            rows = [_gain(page, row) for row in here.to_dict("records")]
            out.append({"name": page.words[f"indicator:{indicator}"], "rows": rows})
    return out


def _gain(page: Page, row: dict[Any, Any]) -> dict[str, Any]:
    words = page.words
    key = "yield_of" if row["what"] == "yield" else "share_in"
    names = {"process": page.process_name(row["process"]), "flows": page.listed(row["item"])}
    known = fmt.known(row["value"])
    sd = row["sd"] if fmt.known(row["sd"]) and row["sd"] >= _SMALLEST else np.nan
    text = (
        (fmt.plus_minus(row["value"], sd) if fmt.known(sd) else format_number(row["value"], 2))
        if known
        else _range(row["low"], row["high"])
    )
    share = fmt.percent(row["share"]) if fmt.known(row["share"]) else words["open"]
    return {"name": words[key].format(**names), "text": text, "share": share, "open": not known}


def _points(page: Page, value: float, low: float, high: float) -> str:
    """Write what is added to an indicator, in points of a percent."""
    if fmt.known(value):
        return page.words["points"].format(n=_signed(value))
    return page.words["points"].format(n=_range(100 * low, 100 * high, 1)) if low == low else ""


def _range(low: float, high: float, digits: int = 2) -> str:
    return fmt.between(fmt.fixed(low, digits), fmt.fixed(high, digits))


def _measure_rows(page: Page) -> list[dict[str, Any]]:
    """Return for each headline indicator the measures in the best order."""
    if page.substance not in page.balance.system.substances:
        return []
    out = []
    for indicator in INDICATORS:
        table = measures(page.balance, indicator, page.substance, page.year)
        if len(table):
            rows = [_measure(page, row) for row in table.to_dict("records")]
            priced = bool(table["cost"].notna().any())
            name = page.words[f"indicator:{indicator}"]
            out.append({"name": name, "rows": rows, "priced": priced})
    return out


def _measure(page: Page, row: dict[Any, Any]) -> dict[str, Any]:
    alone = _points(page, row["value"], row["low"], row["high"])
    if fmt.known(row["flow_gain"]):
        alone = f"{format_number(row['flow_gain'])} {page.unit}"
    together = row["cumulative"], row["cumulative_low"], row["cumulative_high"]
    return {
        "order": int(row["order"]) if fmt.known(row["order"]) else "–",
        "name": _names(page, "measure").get(row["measure"], row["measure"]),
        "kind": page.words[f"measure:{row['kind']}"] if row["kind"] else "",
        "alone": alone,
        "cumulative": _points(page, *together),
        "open": not fmt.known(row["value"]),
        "cost": format_number(row["cost"]) if fmt.known(row["cost"]) else "",
        "problem": _why(page, page.words.get(f"problem:{row['problem']}", row["problem"])),
        "reference": row["reference"],
    }


def _signed(share: float) -> str:
    shown = fmt.fixed(100 * share, 1)
    return shown if shown.startswith("−") or shown == "0.0" else f"+{shown}"


def _capacity_rows(page: Page) -> list[dict[str, Any]]:
    table = capacity(page.balance)
    table = table[table["year"] == page.year]
    out = []
    for row in table.to_dict("records"):
        used = row["utilisation"]
        low, high = row["utilisation_low"], row["utilisation_high"]
        text = fmt.percent(round(used, 3)) if fmt.known(used) else ""
        if not text and fmt.known(low) and fmt.known(high):
            ends = (f"{fmt.percent(round(end, 3))}" for end in (low, high))
            text = " – ".join(dict.fromkeys(ends))
        name = page.process_name(row["item"])
        gain = row["gain"]
        out.append(
            {
                "name": f"{name} ({row['substance']})" if _several(page) else name,
                "capacity": format_number(row["capacity"]) if fmt.known(row["capacity"]) else "",
                "used": text,
                "binding": row["binding"],
                "gain": format_number(gain) if fmt.known(gain) else "",
                "note": _why(page, row["note"]),
            }
        )
    return out


def _why(page: Page, note: str) -> str:
    """Return why a capacity is not comparable, in the page's language and with names."""
    for key, pattern in _REASONS.items():
        found = re.fullmatch(f"not comparable: {pattern}", note)
        if found:
            named = found.groupdict() | {"what": page.substance_name(found["what"])}
            if "flow" in named:
                named["flow"] = page.flow_name(named["flow"])
            return page.words[f"not_comparable:{key}"].format(**named)
    return note


def _rule_rows(page: Page) -> list[dict[str, Any]]:
    """Return one row per rule and conditions; substances that it judges alike stand together."""
    words, table = page.words, criteria(page.balance)
    names = _names(page, "rule")
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    alike: dict[tuple[str, ...], list[str]] = {}
    for (rule, substance), rows in table.groupby(["rule", "substance"], sort=False):
        first = rows.iloc[0]
        cap = fmt.percent(first["cap"]) if fmt.known(first["cap"]) else ""
        missing, kind = str(first["missing"]), str(first["support"])
        support_name = words.get(f"support:{kind}", kind)
        conditions = [_condition(page, row) for row in rows.to_dict("records")]
        row = {
            "rule": names.get(str(rule), str(rule)),
            "verdict": words[f"verdict:{first['verdict']}"],
            "lacks": words["rule_lacks"].format(what=missing) if missing else "",
            "cap": " ".join(part for part in (support_name, cap) if part),
            "conditions": conditions,
        }
        key = str(rule), *(one["text"] + one["met"] for one in conditions)
        found.setdefault(key, row)
        alike.setdefault(key, []).append(str(substance))
    several = _several(page)
    return [
        row | {"substances": page.comma.join(alike[key]) if several else ""}
        for key, row in found.items()
    ]


def _names(page: Page, column: str) -> dict[str, str]:
    """Return the names of measures or rules in the page's language."""
    table = page.balance.system.tables.get(f"{column}s")
    local = f"{column}_ja"
    if page.lang != "ja" or table is None or local not in table:
        return {}
    given = table[table[local].notna() & (table[local] != "")]
    return dict(zip(given[column], given[local], strict=True))


def _condition(page: Page, row: dict[Any, Any]) -> dict[str, str]:
    words = page.words
    name = words.get(f"indicator:{row['indicator']}", row["indicator"].replace("_", " "))
    value, low, high = row["value"], row["low"], row["high"]
    shown = format_number(value) if fmt.known(value) else ""
    if fmt.known(low) and fmt.known(high) and low < high:
        shown = f"{shown} ({fmt.fixed(low, 2)}–{fmt.fixed(high, 2)})".strip()
    relation = {">=": "≥", "<=": "≤"}.get(row["relation"], row["relation"])
    limit = f"{relation} {format_number(row['threshold'])}"
    return {
        "text": f"{name}: {shown or '?'} {limit}",
        "met": words[f"verdict:{row['met']}"],
        "source": " ".join(part for part in (row["reference"], row["note"]) if part),
    }
