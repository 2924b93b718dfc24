"""What is worked out once and then remembered as long as what it is worked out of lives."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import pandas as pd

from mfa.balance import Balance

Owner = TypeVar("Owner")
P = ParamSpec("P")
T = TypeVar("T")


def kept(work_out: Callable[Concatenate[Owner, P], T]) -> Callable[Concatenate[Owner, P], T]:
    """Make a function of a frozen value keep its results with it, for all who ask; unchanged."""
    name = f"_kept_{work_out.__module__}.{work_out.__qualname__}"

    @wraps(work_out)
    def result(owner: Owner, /, *args: P.args, **kwargs: P.kwargs) -> T:
        # Where cached properties are, too: no reference that outlives the owner.
        own: dict[Hashable, T] = vars(owner).setdefault(name, {})
        key = (args, tuple(sorted(kwargs.items())))
        if key not in own:
            own[key] = work_out(owner, *args, **kwargs)
        return own[key]

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
