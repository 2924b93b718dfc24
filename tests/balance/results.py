"""Results as the public tables give them, to be compared with other numbers."""

from __future__ import annotations

from typing import Any

import mfa

from .cases import Key


def results(balance: mfa.Balance) -> dict[Key, dict[str, Any]]:
    """Return the rows of all tables of results by what they speak of."""
    out: dict[Key, dict[str, Any]] = {}
    for row in balance.flows.to_dict("records"):
        out["flow", row["flow"], row["substance"], row["year"]] = row
    for row in balance.stocks.to_dict("records"):
        out[row["quantity"], row["process"], row["substance"], row["year"]] = row
    for row in balance.observations.to_dict("records"):
        out["observation", row["observation"], row["substance"], row["year"]] = row
    for row in balance.coefficients.to_dict("records"):
        out["coefficient", row["coefficient"], *_common(row)] = row
    for row in balance.compositions.to_dict("records"):
        out["composition", f"{row['flow']}/{row['substance']}", *_common(row)] = row
    return out


def _common(row: dict[str, Any]) -> tuple[str, int]:
    """Return substance and year of a share, "" and 0 where it has none."""
    substance, year = row["substance"], row["year"]
    return substance if isinstance(substance, str) else "", int(year) if year == year else 0


def near(found: float, wanted: float, size: float = 1.0, tolerance: float = 1e-8) -> bool:
    """Return whether a number is right to 1e-8 of itself, or of a small flow."""
    return bool(abs(found - wanted) <= tolerance * max(abs(wanted), size))
