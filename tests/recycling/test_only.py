"""Some of the indicators alone: the same rows as in the whole table."""

from __future__ import annotations

import pandas as pd
import pytest

from mfa.balance import Balance, reconcile
from mfa.errors import MFAError
from mfa.recycling import indicators

from . import byhand, trading
from .cycles import system_of

ORIGINS = [{"flow": "ore", "country": "Chile", "value": 60.0, "equity": 0.1}]
ORIGINS += [{"flow": "ore", "country": "Peru", "value": 40.0, "equity": 0.3}]
COUNTRIES = [{"country": "Chile", "governance": 0.3}, {"country": "Peru", "governance": 0.5}]


def by_hand() -> Balance:
    sheets = {"origins": ORIGINS, "countries": COUNTRIES}
    return reconcile(system_of(byhand.CYCLE, byhand.DATA, **sheets))


@pytest.mark.parametrize("make", [by_hand, trading.by_hand], ids=["one region", "several regions"])
def test_some_indicators_are_those_rows_of_the_whole_table(make) -> None:
    whole = indicators(make())
    several = ["supply_risk", "loss", "import_reliance"]
    for some in [*([name] for name in dict.fromkeys(whole["indicator"])), several]:
        wanted = whole[whole["indicator"].isin(some)].reset_index(drop=True)
        assert len(wanted)
        pd.testing.assert_frame_equal(indicators(make(), only=some), wanted, check_exact=True)


def test_order_and_repetition_do_not_matter_nor_what_was_asked_before() -> None:
    balance = by_hand()
    first = indicators(balance, only=["stock_days", "collection_rate"])
    again = indicators(balance, only=iter(["collection_rate", "stock_days", "collection_rate"]))
    pd.testing.assert_frame_equal(first, again)
    assert indicators(balance, only="hhi")["indicator"].tolist() == ["hhi"]
    assert len(indicators(balance)) > len(first)
    assert indicators(balance, only=[]).columns.tolist() == first.columns.tolist()


def test_an_unknown_indicator_is_told_with_those_that_there_are() -> None:
    with pytest.raises(MFAError, match="'colection_rate'; did you mean 'collection_rate'"):
        indicators(by_hand(), only=["loss", "colection_rate"])
    with pytest.raises(MFAError, match=r"there are collection_rate, .*loss, hhi"):
        indicators(by_hand(), only=["zzz"])
