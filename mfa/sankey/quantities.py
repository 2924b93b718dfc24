"""Rows of results as quantities of a chart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mfa.recycling.totals import Total
from mfa.sankey.diagram import Evidence, Quantity, Status

Row = Mapping[str, Any]  # of a table, by the names of its columns
_ASSUMED = 0.5


def _finite(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def quantity_of(row: Row) -> Quantity:
    """Return one row of a results table as a quantity."""
    return Quantity(
        value=_finite(row["value"]),
        sd=_finite(row["sd"]),
        low=_finite(row["low"]),
        high=_finite(row["high"]),
        status=row["status"],
        assumed=bool(row["assumed"] > _ASSUMED),
    )


def evidence_of(row: Row) -> Evidence:
    """Return where one row of a results table comes from."""
    observed = _finite(row["observed"])
    return Evidence(
        observed=None
        if observed is None
        else Quantity(observed, _finite(row["observed_sd"]), status="measured"),
        adjustment=_finite(row["adjustment"]),
        cell=str(row["cell"]),
        reference=str(row["reference"]),
        note=str(row["note"]),
        included=bool(row["include"]),
    )


def bundle_of(sum_: Total, rows: list[Row]) -> Quantity:
    """Return the sum of a bundle as a quantity; its status is the least certain of the parts'."""
    status: Status = "undetermined"
    if sum_.value == sum_.value:
        order: tuple[Status, ...] = ("calculated", "measured", "reconciled", "fixed")
        found = {row["status"] for row in rows}
        known = "undetermined" not in found
        status = next((s for s in order if known and s in found), "calculated")
    return Quantity(
        value=_finite(sum_.value),
        sd=_finite(sum_.sd),
        low=_finite(sum_.low),
        high=_finite(sum_.high),
        status=status,
        assumed=bool(sum_.assumed > _ASSUMED),
    )
