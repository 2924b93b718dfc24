"""A balance in a few lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mfa.schema import STATUSES

if TYPE_CHECKING:
    from mfa.balance import Balance

_MOST = 5
_STRIKING = 1.96


def summary_lines(balance: Balance) -> list[str]:
    """Return what the command line prints of a balance."""
    counts = balance.flows["status"].value_counts()
    listed = ", ".join(f"{counts[name]} {name}" for name in STATUSES if name in counts)
    lines = [f"flows: {len(balance.flows)} ({listed})"]
    if not balance.dof:
        return [*lines, "test: no balance checks any number"]
    about = ", approximate: bounds hold some quantities" if balance.is_approximate else ""
    lines.append(
        f"test: chi2 {balance.chi2:.4g} on {balance.dof} degrees of freedom, "
        f"p = {balance.p_value:.3g}{about}"
    )
    suspects = balance.suspects
    striking = suspects[(suspects["kind"] == "datum") & (suspects["z"].abs() > _STRIKING)]
    for row in striking.head(_MOST).to_dict("records"):
        place = f" at {row['cell']}" if row["cell"] else ""
        others = len([name for name in str(row["same_as"]).split(", ") if name])
        alike = f", like {others} others" if others else ""
        lines.append(
            f"suspect: {row['item']}, {row['substance']}, {row['year']}{place}: "
            f"z = {row['z']:.2f}, others suggest {row['should_be']:.4g}{alike}"
        )
    if len(striking) > _MOST:
        lines.append(f"suspects: {len(striking) - _MOST} more, see the results workbook")
    return lines
