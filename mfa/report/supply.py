"""What the page says of supply: who supplies, how long stocks last, what shocks lead to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mfa.report import format as fmt
from mfa.report.page import Page
from mfa.sankey.figures import format_number
from mfa.supply import Disruption, concentration, disruptions, exposure, shares, stockpile
from mfa.supply.notes import Note
from mfa.supply.origins import OTHER
from mfa.supply.outcome import first_short

_MOST_PARTIES = 6
_MOST_ORIGINS = 4
_MOST_FLOWS = 3
_TINTS = ("#8a4f1d", "#b87333", "#cf9a63", "#3f6ea5", "#7b9cc2", "#6b8e5a", "#d9d4c7")
_SMALL = 1e-4
_AT_ONCE = 0.05  # months
_PARTS = ("unknown", "stock")


def supply_values(page: Page) -> dict[str, object]:
    """Return what the section about supply shows."""
    chosen = _latest(page, concentration(page.balance))
    found, parts = disruptions(page.balance), shares(page.balance)
    notes = dict.fromkeys(note for one in found for note in one.notes)
    return {
        "wholes": [_whole(page, row, parts) for row in chosen.to_dict("records")],
        "stockpiles": _stockpiles(page),
        "days": 60,
        "exposed": _exposed(page),
        "year": page.year,
        "shocks": [_shock(page, one) for one in found],
        "notes": [_note(page, note) for note in notes],
    }


def _latest(page: Page, table: pd.DataFrame) -> pd.DataFrame:
    """Return imports of the headline year, and each stage of the world in its last year."""
    world = table["scope"] == "world"
    last = table["year"] == table.groupby(["scope", "item", "substance"])["year"].transform("max")
    own = ~world & (table["year"] == page.year) & table["low"].notna()
    return pd.concat([table[world & last], table[own]], ignore_index=True)


def _name_of_whole(page: Page, row: dict[Any, Any]) -> str:
    if row["scope"] == "world":
        name = page.words["world_stage"].format(stage=page.words[f"made_at:{row['item']}"])
        other = row["substance"] != page.substance or len(page.substances) > 1
        return name + (f" ({page.substance_name(row['substance'])})" if other else "")
    name = page.words["into"].format(name=page.process_name(row["item"]))
    commodity = page.words.get(f"commodity:{row['commodity']}", row["commodity"])
    return f"{name}{page.comma}{commodity}" if commodity else name


def country_name(page: Page, party: object) -> str:
    """Return the name of a country in the page's language, as far as it is known."""
    if party == OTHER:
        return page.words["other_parties"]
    if page.lang == "ja":
        table = page.balance.system.processes
        local = dict(zip(table["name"], table["name_ja"], strict=True))
        return local.get(str(party)) or page.words.get(f"country:{party}", str(party))
    return str(party)


def _whole(page: Page, row: dict[Any, Any], table: pd.DataFrame) -> dict[str, Any]:
    """Return one whole: its name, index, largest suppliers, and the segments of its bar."""
    keys = ("scope", "item", "commodity", "substance", "year")
    same = np.logical_and.reduce([table[key] == row[key] for key in keys])
    own = table[same & (table["share"] > 0)]
    named = own[own["party"] != OTHER]
    shown = named.head(_MOST_PARTIES)
    parts = [
        (country_name(page, party), share, tint)
        for party, share, tint in zip(shown["party"], shown["share"], _TINTS, strict=False)
    ]
    rest = 1.0 - sum(share for _, share, _ in parts)
    if rest > 1e-9:
        parts.append((page.words["all_others"], rest, _TINTS[-1]))
    low, high = row["low"], row["high"]
    largest = country_name(page, row["largest"]) if row["largest"] else ""
    return {
        "name": _name_of_whole(page, row),
        "year": page.year_name(int(row["year"])),
        "hhi": fmt.fixed(row["value"], 3),
        "range": f"{low:.3f}–{high:.3f}" if high - low > 5e-4 else "",
        "largest": f"{largest} {fmt.percent(round(row['largest_share'], 3))}" if largest else "",
        "two": fmt.percent(round(row["two_largest"], 3)) if largest else "",
        "other": fmt.percent(round(row["other"], 3)),
        "parts": [
            {
                "name": name,
                "share": fmt.percent(round(share, 3)),
                "width": 100 * share,
                "tint": tint,
            }
            for name, share, tint in parts
        ],
    }


def _stockpiles(page: Page) -> list[dict[str, str]]:
    """Return the stock that 60 days of demand need, beside what is kept."""
    rows = []
    for row in stockpile(page.balance, days=60.0).to_dict("records"):
        if not row["flows"]:
            continue
        needed = fmt.plus_minus(row["value"], row["sd"])
        held = row["held"]
        rows.append(
            {
                "name": page.substance_name(row["substance"]),
                "year": str(row["year"]),
                "needed": needed or fmt.low_high(row["low"], row["high"], page.words),
                "held": format_number(held) if held > 0 else "–",
                "held_days": f"{row['held_days']:.0f}" if row["held_days"] > 0 else "–",
                "unit": row["unit"],
            }
        )
    return rows


def _exposed(page: Page) -> list[dict[str, object]]:
    """Return for each process where its intake stems from, the largest origins first."""
    if page.substance not in page.balance.system.substances:
        return []
    table = exposure(page.balance, substance=page.substance, year=page.year)
    alike: dict[str, list[str]] = {}
    for process, rows in table.groupby("item", sort=False):
        countries = rows[~rows["origin"].isin(_PARTS) & (rows["high"] > 0)].head(_MOST_ORIGINS)
        rest = rows[rows["origin"].isin(_PARTS) & (rows["high"] > 1e-6)]
        if set(countries["origin"]) <= {OTHER}:
            continue
        cells = [_share_of(page, row) for row in pd.concat([countries, rest]).to_dict("records")]
        alike.setdefault(page.comma.join(cells), []).append(page.process_name(process))
    return [{"name": page.comma.join(names), "origins": cells} for cells, names in alike.items()]


def _share_of(page: Page, row: dict[Any, Any]) -> str:
    origin = str(row["origin"])
    name = page.words[f"from_{origin}"] if origin in _PARTS else country_name(page, origin)
    if fmt.known(row["value"]):
        return f"{name} {fmt.percent(round(row['value'], 3))}"
    low, high = (fmt.fixed(100 * row[end], 0) for end in ("low", "high"))
    return f"{name} {fmt.between(low, high)} %"


def _shock(page: Page, one: Disruption) -> dict[str, Any]:
    """Return a shock's outcome in words, and its months for the picture."""
    row = one.summary.iloc[0]
    final = one.shortage[one.shortage["final"]]
    months = final.groupby("month")[["demand", "shortage"]].sum()
    level = one.stocks.groupby("month")["level"].sum()
    start = float(level.iloc[0]) if len(level) else 0.0
    short = months["shortage"] / months["demand"].where(months["demand"] > 0, 1.0)
    first = page.comma.join(map(page.process_name, first_short(one.endurance)[0]))
    return {
        "name": _shock_name(page, one.shock.name),
        "year": str(one.year),
        "substance": page.substance_name(one.substance),
        "months": f"{row['months']:g}",
        "unit": row["unit"],
        "lost": format_number(row["lost"]),
        "unmet": fmt.plus_minus(row["unmet"], row["sd"]) if row["unmet"] > 0 else "0",
        "high": format_number(row["high"])
        if row["unmet"] <= 0 and row["high"] > _SMALL * row["demand"]
        else "",
        "share": fmt.percent(round(row["unmet_share"], 3)),
        "without": format_number(row["unmet_without_stocks"]) if start else "",
        "first": first or page.words["nobody"],
        "after": _after(page, float(row["endurance_months"])) if first else "",
        "empty": page.process_name(row["first_out"]) if row["first_out"] else "",
        "bars": [
            {"month": month, "short": 100 * float(short[month])}
            | {"stock": 100 * float(level[month]) / start if start else None}
            for month in months.index.tolist()
        ],
    }


def _shock_name(page: Page, name: str) -> str:
    """Return the name of a shock in the page's language, where the workbook gives one."""
    table = page.balance.system.tables.get("shocks")
    if page.lang != "ja" or table is None or "shock_ja" not in table:
        return name
    given = table[table["shock"].eq(name) & table["shock_ja"].notna() & table["shock_ja"].ne("")]
    return str(given["shock_ja"].iat[0]) if len(given) else name


def _after(page: Page, months: float) -> str:
    """Return after how long somebody runs short, in words."""
    if months < _AT_ONCE:
        return page.words["at_once"]
    return page.words["after_months"].format(n=f"{months:.1f}")


def _note(page: Page, note: Note) -> str:
    """Return what a result rests on, in the page's language and with names."""
    names = [page.flow_name(flow) for flow in note.flows]
    listed = page.comma.join(names[:_MOST_FLOWS])
    if len(names) > _MOST_FLOWS:
        listed = page.words["and_more"].format(names=listed, n=len(names) - _MOST_FLOWS)
    return page.words[f"shock_note:{note.key}"].format(
        year=note.year,
        process=page.process_name(note.process),
        flows=listed,
        substance=page.substance_name(note.substance),
    )
