"""What the sheet ``system`` says: title, unit, substances, default uncertainty."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from mfa.errors import UnitError, near
from mfa.schema import FORMAT, GOODS, SETTINGS, fold
from mfa.stocks.aging import CONVENTIONS
from mfa.stocks.driven import InflowAt
from mfa.system.cells import plain_number, split_list
from mfa.system.findings import Findings
from mfa.system.parsed import ParsedSheet
from mfa.units import Unit, parse_unit


@dataclass(frozen=True, slots=True)
class Settings:
    """The system as a whole.

    Parameters
    ----------
    unit : Unit
        Unit of every flow [mass/yr]; stocks are in its mass unit.
    substances : tuple of str
        The first is the default. ``goods`` (gross mass) is always known and not listed.
    default_cv : float or None
        Relative sd of a value that states none; None makes such a value an error. It is nan if
        the workbook's own cannot be read, which is an error itself.
    inflow_at : {"spread", "start", "middle", "end"}
        When in its year, or longer step, what enters a stock begins to age.
    """

    unit: Unit
    substances: tuple[str, ...]
    default_cv: float | None = None
    inflow_at: InflowAt = "spread"
    title: str = ""
    title_ja: str = ""
    region: str = ""
    description: str = ""
    author: str = ""
    licence: str = ""

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that is balanced: goods, then the substances."""
        return (GOODS, *self.substances)


_UNIT_ADVICE = "write for example kt/yr"


_UNREADABLE = Settings(parse_unit("t/yr"), ("?",), math.nan)


def _read_unit(text: str | None, place: str, findings: Findings) -> Unit:
    fallback = _UNREADABLE.unit
    if not text:
        findings.error("the system has no unit", f"add a row 'unit'; {_UNIT_ADVICE}", None, place)
        return fallback
    try:
        unit = parse_unit(text)
    except UnitError as error:
        findings.error(str(error).split(";")[0], str(error).split("; ")[-1], text, place)
        return fallback
    if unit.dimension == "mass":
        rate = parse_unit(f"{unit.name}/yr")
        findings.warning(
            f"unit: a flow is a mass per year, {unit.name} is read as {rate.name}",
            f"write {rate.name}",
            text,
            place,
        )
        return rate
    if unit.dimension == "share":
        findings.error("unit: not a mass per year", _UNIT_ADVICE, text, place)
        return fallback
    return unit


def _read_cv(text: str | None, place: str, findings: Findings) -> float | None:
    if not text:
        return None
    percent = text.endswith(("%", "\uff05"))
    number = plain_number(text[:-1] if percent else text)
    if number is None or number < 0:
        findings.error("default_cv: not a share", "write for example 0.05 or 5%", text, place)
        return _UNREADABLE.default_cv
    cv = number / 100 if percent else number
    if cv > 1:
        what = f"default_cv: {cv:g} makes every uncertainty {cv:g} times its value"
        findings.warning(what, "write 5 % as 0.05 or 5%", text, place)
    return cv


def _read_inflow_at(text: str | None, place: str, findings: Findings) -> InflowAt:
    if not text:
        return "spread"
    word = fold(text)
    if word in CONVENTIONS:
        return cast(InflowAt, word)
    advice = near(text, CONVENTIONS, "write spread, start, middle or end")
    findings.error("inflow_at: no such convention", advice, text, place)
    return "spread"


def _read_substances(text: str | None, place: str, findings: Findings) -> tuple[str, ...]:
    names = tuple(split_list(text or ""))
    if not names:
        findings.unknown.add("substances")
        findings.error(
            "the system names no substance", "add a row 'substances', for example Cu", text, place
        )
        return _UNREADABLE.substances
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        findings.error(f"substance {name!r} is named twice", "name it once", text, place)
    if GOODS in names:
        advice = "leave it out: it is always known"
        findings.error("'goods' is gross mass, not a substance", advice, text, place)
    return tuple(dict.fromkeys(names))


def _read_rows(
    sheet: ParsedSheet, findings: Findings
) -> tuple[dict[str, str | None], dict[str, str]]:
    """Return text and place of every key; of a text that cannot be used the place only."""
    known = {fold(key): key for key in SETTINGS}
    texts: dict[str, str | None] = {}
    places: dict[str, str] = {}
    bad = sheet.is_bad("value")
    keys, cells = sheet.frame["key"].tolist(), sheet.frame["value"].tolist()
    for i, (spelt, text) in enumerate(zip(keys, cells, strict=True)):
        if spelt is None:
            continue
        key = known.get(fold(spelt))
        if key is None:
            advice = near(spelt, SETTINGS, "it is ignored")
            findings.warning(f"unknown key {spelt!r}", advice, None, sheet.place(i, "key"))
            continue
        if key in places:
            findings.error(f"key {key!r} stands twice", "keep one", text, sheet.place(i, "key"))
        places[key] = sheet.place(i, "value")
        if not bad[i]:
            texts[key] = text
    return texts, places


def read_settings(sheet: ParsedSheet, findings: Findings) -> Settings:
    """Return the settings of a system, noting every problem."""
    if "system" in findings.unknown:
        findings.unknown.add("substances")
        return _UNREADABLE
    texts, places = _read_rows(sheet, findings)
    if (text := texts.get("format")) and plain_number(text) != FORMAT:
        findings.error(
            "this workbook is in another format than 1",
            "get a newer version of mfa, or write 1 if that is what it is",
            text,
            places["format"],
        )

    def read(key: str, convert: Callable[[str | None, str, Findings], Any]) -> Any:
        place = places.get(key, "system!1")
        if key in places and key not in texts:
            findings.unknown.add(key)
            return getattr(_UNREADABLE, key)
        return convert(texts.get(key), place, findings)

    plain = ("title", "title_ja", "region", "description", "author", "licence")
    return Settings(
        unit=read("unit", _read_unit),
        substances=read("substances", _read_substances),
        default_cv=read("default_cv", _read_cv),
        inflow_at=read("inflow_at", _read_inflow_at),
        **{key: texts.get(key) or "" for key in plain},
    )
