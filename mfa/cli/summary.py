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
        return [*lines, "test: no balance checks any number", *_worst(balance)]
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
    return lines + _worst(balance)


def _worst(balance: Balance) -> list[str]:
    """Return the worst loss of the default substance in the last year, if there is any."""
    from mfa.recycling import bottlenecks  # late: see above

    table, system = bottlenecks(balance), balance.system
    here = table[(table["year"] == system.years[-1]) & table["bottleneck"]]
    here = here[here["substance"] == system.substances[0]]
    if here.empty:
        return []
    row = here.iloc[0]
    if row["value"] == row["value"]:
        size, chance = f"{row['value']:.4g} ± {row['sd']:.2g} {row['unit']}", row["probability"]
        sure = f", the worst with probability {chance:.2f}" if chance == chance else ""
    else:
        size = (
            f"between {row['low']:.4g} and {row['high']:.4g} {row['unit']}, left open by the data"
        )
        sure = ""
    return [f"bottleneck: {row['item']} {row['year']}: loses {size}{sure}"]
