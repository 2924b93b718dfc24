"""What is worked out of a balance once and then remembered as long as the balance lives."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import pandas as pd

from mfa.balance import Balance

P = ParamSpec("P")
T = TypeVar("T")


def kept(work_out: Callable[[Balance], T]) -> Callable[[Balance], T]:
    """Make a function of a balance keep its result with the balance, for all who ask; unchanged."""
    name = f"_kept_{work_out.__module__}.{work_out.__qualname__}"

    @wraps(work_out)
    def result(balance: Balance) -> T:
        own = vars(balance)  # where cached properties are, too: no reference that outlives it
        if name not in own:
            own[name] = work_out(balance)
        return own[name]  # type: ignore[no-any-return]

    return result


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
