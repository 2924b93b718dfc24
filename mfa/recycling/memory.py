"""Tables of a balance, worked out once and then remembered as long as the balance lives."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from weakref import WeakKeyDictionary

import pandas as pd

from mfa.balance import Balance

TableOf = Callable[[Balance], pd.DataFrame]


def remembered(work_out: TableOf) -> TableOf:
    """Make a function of a balance remember its table; callers get copies of it."""
    known: WeakKeyDictionary[Balance, pd.DataFrame] = WeakKeyDictionary()

    @wraps(work_out)
    def table(balance: Balance) -> pd.DataFrame:
        if balance not in known:
            known[balance] = work_out(balance)
        return known[balance].copy()

    return table
