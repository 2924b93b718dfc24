"""Results as the public tables give them, to be compared with other numbers."""

from __future__ import annotations

from typing import Any

import mfa

from .cases import Key


def results(balance: mfa.Balance) -> dict[Key, dict[str, Any]]:
    """Return the rows of the tables of flows, stocks and observations by what they speak of."""
    out: dict[Key, dict[str, Any]] = {}
    for row in balance.flows.to_dict("records"):
        out["flow", row["flow"], row["substance"], row["year"]] = row
    for row in balance.stocks.to_dict("records"):
        out[row["quantity"], row["process"], row["substance"], row["year"]] = row
    for row in balance.observations.to_dict("records"):
        out["observation", row["observation"], row["substance"], row["year"]] = row
    return out


def near(found: float, wanted: float, size: float = 1.0, tolerance: float = 1e-8) -> bool:
    """Return whether a number is right to 1e-8 of itself, or of a small flow."""
    return bool(abs(found - wanted) <= tolerance * max(abs(wanted), size))
