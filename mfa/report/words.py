"""What the report says, in English and Japanese, from the one table ``words.csv``."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Literal

Lang = Literal["en", "ja"]


def words(lang: Lang) -> dict[str, str]:
    """Return every phrase in one language.

    Names of indicators, statuses and bases have keys like ``indicator:collection_rate``.

    Examples
    --------
    >>> words("ja")["status:undetermined"]
    '未確定'
    """
    text = files("mfa.report").joinpath("words.csv").read_text(encoding="utf-8")
    return {row["key"]: row[lang] for row in csv.DictReader(text.splitlines())}
