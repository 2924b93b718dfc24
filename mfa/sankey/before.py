"""The data as they were before reconciling, in the shape of its results."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.sankey.diagram import Quantity
from mfa.sankey.quantities import Row


def as_observed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a results table with the data in place of the results.

    What is blank, or left out by the user, is undetermined: nothing is put in its place.
    """
    there = table["observed"].notna() & (table["include"] != False)  # noqa: E712 - nan too
    return table.assign(
        value=table["observed"].where(there),
        sd=table["observed_sd"].where(there),
        low=np.nan,
        high=np.nan,
        status=np.where(there, "measured", "undetermined"),
        assumed=(table["basis"] == "assumption").astype(float),
    )


def observed_sum(rows: list[Row]) -> Quantity:
    """Return the sum of observed flows; with a blank among them only what it is at least."""
    values = np.array([row["value"] for row in rows], dtype=np.float64)
    total = float(np.nansum(values))
    if np.isnan(values).any():
        return Quantity(None, low=total if total > 0 else None, status="undetermined")
    sds = np.array([row["sd"] for row in rows], dtype=np.float64)
    sd = float(np.sqrt(np.nansum(sds**2)))
    assumed = any(row["assumed"] > 0 for row in rows)
    return Quantity(total, sd, status="measured", assumed=assumed)
