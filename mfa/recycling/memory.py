"""Tables of a balance, worked out once and then remembered as long as the balance lives."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec
from weakref import WeakKeyDictionary

import pandas as pd

from mfa.balance import Balance

P = ParamSpec("P")


def remembered(
    work_out: Callable[Concatenate[Balance, P], pd.DataFrame],
) -> Callable[Concatenate[Balance, P], pd.DataFrame]:
    """Make a function of a balance remember its tables; callers get copies of them."""
    known: WeakKeyDictionary[Balance, dict[Hashable, pd.DataFrame]] = WeakKeyDictionary()

    @wraps(work_out)
    def table(balance: Balance, /, *args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
        tables = known.setdefault(balance, {})
        key = (args, tuple(sorted(kwargs.items())))
        if key not in tables:
            tables[key] = work_out(balance, *args, **kwargs)
        return tables[key].copy()

    return table
