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
    from mfa.report.names import alike  # late: whoever has a balance has loaded what it needs

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
    suspects = balance.suspects.assign(alike=[len(group) for group in alike(balance)])
    suspects["year"] = suspects["year"].fillna(0)
    striking = suspects[(suspects["kind"] == "datum") & (suspects["z"].abs() > _STRIKING)]
    for row in striking.head(_MOST).to_dict("records"):
        stock = row["quantity"] if row["quantity"] in ("level", "change") else ""
        # a shared one has no year, or neither that nor a substance
        parts = (row["item"], stock, row["substance"], row["year"])
        name = ", ".join(str(part) for part in parts if part)
        place = f" at {row['cell']}" if row["cell"] else ""
        others = row["alike"] - 1
        like = f", like {others} other{'' if others == 1 else 's'}" if others else ""
        lines.append(
            f"suspect: {name}{place}: z = {row['z']:.2f}, others suggest "
            f"{row['should_be']:.4g}{'' if row['possible'] else ' (not possible)'}{like}"
        )
    if len(striking) > _MOST:
        lines.append(f"suspects: {len(striking) - _MOST} more, see the results workbook")
    return lines
