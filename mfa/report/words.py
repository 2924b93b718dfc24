"""What the report says, in English and Japanese, from the one table ``words.csv``."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Literal

Lang = Literal["en", "ja"]
LANGS: tuple[Lang, ...] = ("en", "ja")


@cache
def _table() -> tuple[dict[str, str], ...]:
    text = files("mfa.report").joinpath("words.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def words(lang: Lang) -> dict[str, str]:
    """Return every phrase in one language.

    Names of indicators, statuses and bases have keys like ``indicator:collection_rate``.

    Examples
    --------
    >>> words("ja")["status:undetermined"]
    '未確定'
    """
    return {row["key"]: row[lang] for row in _table()}
