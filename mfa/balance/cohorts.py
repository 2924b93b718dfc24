"""Tables of stocks by cohort: how old a stock is, and whether its two ways of counting agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mfa.balance.combinations import many
from mfa.balance.network import Floats
from mfa.balance.survival import CohortModel

if TYPE_CHECKING:
    from mfa.balance.result import Balance

_NUMBERS = ["top_down", "top_down_sd", "cohort", "cohort_sd", "difference", "difference_sd"]
_COLUMNS = ["process", "substance", "year", *_NUMBERS, "unit"]
_AGES = ["process", "substance", "year", "cohort", "value", "sd", "unit"]
_ROUNDING = 1e-9


def cohort_table(balance: Balance) -> pd.DataFrame:
    """Return every stock with a lifetime counted in two ways; see `Balance.cohorts`."""
    parts = [_two_ways(balance, model) for model in _seen(balance)]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=_type(name)) for name in _COLUMNS})
    return pd.concat(parts, ignore_index=True)[_COLUMNS]


def age_table(balance: Balance) -> pd.DataFrame:
    """Return every stock with a lifetime by year and cohort; see `Balance.ages`."""
    parts = [_by_cohort(balance, model) for model in _seen(balance)]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=_type(name)) for name in _AGES})
    return pd.concat(parts, ignore_index=True)[_AGES]


def _type(name: str) -> str:
    whole = {"year": "int64", "cohort": "Int64"}
    return whole.get(name, "object" if name in ("process", "substance", "unit") else "float64")


def _seen(balance: Balance) -> list[CohortModel]:
    """Return the stocks of what is looked at."""
    processes = balance.system.processes
    inside = set(processes.loc[processes["kind"] == "process", "process"])
    return [model for model in balance.model.cohorts if model.process in inside]


def _keys(balance: Balance, model: CohortModel) -> dict[str, str]:
    unit = balance.model.system.settings.unit.mass.name
    return {"process": model.process, "substance": model.substance, "unit": unit}


def _two_ways(balance: Balance, model: CohortModel) -> pd.DataFrame:
    n = balance.model.equations.n
    cohort = model.stocks(n)
    own = (np.ones(model.n), (np.arange(model.n), model.levels))
    level = sp.csr_array(sp.coo_array(own, shape=(model.n, n)))
    rows = sp.csr_array(sp.vstack([level, cohort, level - cohort], format="csr"))
    size = sp.csr_array(sp.vstack([level, cohort, level + cohort], format="csr"))
    value, sd = (numbers.reshape(3, -1) for numbers in many(balance, rows, size))
    whole = (level + cohort) @ np.abs(balance.bounded.estimate.x)
    value[2, np.abs(value[2]) <= _ROUNDING * whole] = 0.0
    years = np.asarray(balance.model.system.years)
    columns = zip(("top_down", "cohort", "difference"), value, sd, strict=True)
    numbers = {f"{name}{end}": v for name, x, s in columns for end, v in (("", x), ("_sd", s))}
    return pd.DataFrame({"year": years, **numbers}).assign(**_keys(balance, model))


def _by_cohort(balance: Balance, model: CohortModel) -> pd.DataFrame:
    n, years = balance.model.equations.n, np.asarray(balance.model.system.years)
    entered = np.ones(len(model.inflows)), (model.cohorts, model.inflows)
    rows = sp.coo_array(entered, shape=(model.n, n))
    opening = sp.coo_array(([1.0], ([0], [model.opening])), shape=(1, n))
    value, sd = many(balance, sp.csr_array(sp.vstack([opening, rows], format="csr")))
    shares = np.column_stack([model.left, model.shares])
    t, c = np.nonzero(np.column_stack([np.ones(model.n), np.tri(model.n)]))
    cohort = pd.array(np.concatenate([[0], years])[c], dtype="Int64")
    cohort[c == 0] = pd.NA
    return pd.DataFrame(
        {
            "year": years[t],
            "cohort": cohort,
            "value": _shared(shares[t, c], value[c]),
            "sd": _shared(shares[t, c], sd[c]),
        }
    ).assign(**_keys(balance, model))


def _shared(share: Floats, whole: Floats) -> Floats:
    """Return shares of wholes; of what is not known 0 is left, once nothing of it is."""
    return np.where(share == 0.0, 0.0, share * whole)
