"""Every phrase exists in both languages, is used, and has the same gaps."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

import mfa.report
from mfa.recycling.indicators import DEFINITIONS
from mfa.report.words import words
from mfa.schema import STATUSES

HERE = Path(mfa.report.__file__).parent
ROWS = list(csv.DictReader((HERE / "words.csv").read_text(encoding="utf-8").splitlines()))
CODE = "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("*.py"))
TEMPLATE = "\n".join(path.read_text(encoding="utf-8") for path in HERE.rglob("*.j2"))
USED = set(re.findall(r"\bw\.(\w+)", TEMPLATE))
USED |= set(re.findall(r"words(?:\(\w+\))?\[[\"'](\w+)[\"']", CODE))


def test_keys_stand_once_and_in_both_languages():
    assert [key for key, n in Counter(row["key"] for row in ROWS).items() if n > 1] == []
    for row in ROWS:
        assert row["en"].strip() == row["en"] != ""
        assert row["ja"].strip() == row["ja"] != ""
        assert None not in row


@pytest.mark.parametrize("key", sorted(USED))
def test_every_phrase_used_exists(key):
    for lang in ("en", "ja"):
        assert words(lang)[key]


def test_phrases_have_the_same_gaps():
    for row in ROWS:
        gaps = [Counter(re.findall(r"\{(\w*)\}", row[lang])) for lang in ("en", "ja")]
        assert set(gaps[0]) == set(gaps[1]), row["key"]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_families_are_complete(lang):
    table = words(lang)
    for status in STATUSES:
        assert table[f"status:{status}"]
    for basis in ("statistic", "estimate", "assumption"):
        assert table[f"basis:{basis}"]
    for indicator in ("loss", "hhi", "hhi_governance", "supply_risk"):
        assert table[f"indicator:{indicator}"]
        assert table[f"scope:{indicator}"]
    for definition in DEFINITIONS:
        assert table[f"indicator:{definition.indicator}"]
        assert table[f"scope:{definition.indicator}"]
        for part in filter(None, (definition.above_is, definition.below_is)):
            assert table[f"missing:{part}"]


def test_japanese_is_japanese():
    odd = [row["key"] for row in ROWS if not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", row["ja"])]
    assert odd == []
