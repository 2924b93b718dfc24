"""By-products: what else comes with the main metal of a process, and moves with it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.errors import MFAError, near
from mfa.supply.network import Yearly, yearly


def by_products(
    balance: Balance, process: str, *, substance: str | None = None, change: float = 0.1
) -> pd.DataFrame:
    """Return the other substances that a process passes on, per unit of its main one.

    Losses do not count. A by-product is taken to move with the main substance, in proportion: it
    is in the same ore.

    Parameters
    ----------
    balance : Balance
    process : str
    substance : str, optional
        The main one; by default the system's first.
    change : float
        Relative change of the main substance's output, 0.1 for 10 % more.

    Returns
    -------
    DataFrame
        item (process), substance, year, value (by-product per main product), sd, low, high [1],
        output [unit], effect (change of its output with that of the main one) [unit], flows, unit.

    Raises
    ------
    MFAError
        If there is no such process, or it passes on no main substance.
    """
    system = balance.system
    main = system.substances[0] if substance is None else substance
    known = system.processes["process"].tolist()
    if process not in known:
        raise MFAError(f"no process {process!r}; {near(process, known, 'see the sheet processes')}")
    others = [name for name in system.substances if name != main]
    rows = []
    for year in system.years:
        for name in others:
            row = _ratio(balance, process, main, name, year)
            if row is not None:
                effect = change * float(str(row["output"]))
                rows.append(
                    {"item": process, "substance": name, "year": year, **row, "effect": effect}
                )
    names = ["item", "substance", "year", "value", "sd", "low", "high", "output", "effect", "flows"]
    return pd.DataFrame(rows, columns=names).assign(unit=system.unit)


def _ratio(
    balance: Balance, process: str, main: str, name: str, year: int
) -> dict[str, object] | None:
    flows = {one: _passed_on(balance, process, one, year) for one in (main, name)}
    if not flows[main] or not flows[name]:
        return None
    items = {one: [(flow, one, year) for flow in some] for one, some in flows.items()}
    try:
        found = balance.ratio(dict.fromkeys(items[name], 1.0), dict.fromkeys(items[main], 1.0))
    except MFAError as error:
        what = f"the process {process!r} passes on no {main} in {year}"
        raise MFAError(f"{what}; name another substance as the main one") from error
    output = balance.linear(dict.fromkeys(items[name], 1.0)).value
    return {
        "value": found.value,
        "sd": found.sd,
        "low": found.low,
        "high": found.high,
        "output": output,
        "flows": ", ".join(flows[name]),
    }


def _passed_on(balance: Balance, process: str, substance: str, year: int) -> list[str]:
    """Return the flows that a process passes a substance on with, losses left out."""
    table = balance.flows
    if not ((table["substance"] == substance) & (table["year"] == year)).any():
        return []
    y: Yearly = yearly(balance, substance, year)
    own = y.there & (y.sets.tail == y.names.index(process)) & ~y.technical
    return [y.flow_names[f] for f in np.flatnonzero(own)]
