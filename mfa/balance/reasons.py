"""Tables that say why a number is unknown, what would free it, and what checks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mfa.balance.labels import STOCK_OF, described, equation_labels, variable_labels
from mfa.balance.network import Ints
from mfa.balance.observability import Checks, checked_by, groups_of

if TYPE_CHECKING:
    from mfa.balance.result import Balance

ADDED = " + "
_LISTS = ["tangled_with", "freed_by", "checked_by"]
COLUMNS = ["item", "kind", "substance", "year", "status", *_LISTS, "frees", "tangle", "cell"]
_TANGLES = ["tangle", "numbers", "measurements", "best", "frees", "items"]


def observability_table(balance: Balance) -> pd.DataFrame:
    """Return every undetermined and every redundant quantity with the reason for it."""
    model, status = balance.model, balance.status
    chosen = _with_reason(balance)
    table = described(model, chosen).rename(columns={"quantity": "kind"})
    table["status"] = status[chosen]
    lists = {name: np.empty(len(status), dtype=object) for name in _LISTS}
    for column in lists.values():
        column[:] = [()] * len(column)
    _add_tangles(balance, lists["tangled_with"], lists["freed_by"])
    _add_checks(balance, chosen, lists["checked_by"])
    for name, column in lists.items():
        table[name] = column[chosen]
    found = balance.tangled
    numbers = np.zeros((2, len(status)), dtype=np.int64)
    numbers[0, found.members] = found.frees
    numbers[1, found.members] = found.tangle + 1
    for name, values in zip(("frees", "tangle"), numbers[:, chosen], strict=True):
        table[name] = pd.Series(values, dtype="Int64").mask(values == 0)
    return table[COLUMNS]


def _with_reason(balance: Balance) -> Ints:
    """Return the variables that are undetermined or checked."""
    return np.flatnonzero(np.isin(balance.status, ["undetermined", "reconciled"]))


def _add_tangles(balance: Balance, tangled: np.ndarray, freed: np.ndarray) -> None:
    """Fill in what each undetermined quantity is tangled with, and what would free it."""
    found, names = balance.tangled, variable_labels(balance.model)
    for column, groups in ((tangled, found.tangle), (freed, found.series)):
        for members in groups_of(found.members, groups).values():
            shared = np.empty(len(members), dtype=object)
            shared[:] = [tuple(names[members])] * len(members)
            column[members] = shared


def _add_checks(balance: Balance, chosen: Ints, column: np.ndarray) -> None:
    """Fill in what checks each of the redundant quantities."""
    layout, found = balance.bounded.classified, balance.checks
    texts = [ADDED.join(parts) for parts in check_parts(balance, found)]
    by_datum = {
        int(number): tuple(texts[row] for row in rows)
        for number, rows in zip(layout.data, checked_by(found), strict=True)
    }
    sums = {
        int(row): number
        for number, (kind, row) in enumerate(
            balance.model.variables[["kind", "row"]].itertuples(index=False)
        )
        if kind == "observation"
    }
    for number in chosen[balance.status[chosen] == "reconciled"].tolist():
        within = sums.get(int(balance.statements[number]), number)
        column[number] = by_datum.get(within, ())


def check_parts(balance: Balance, found: Checks) -> list[tuple[str, ...]]:
    """Return what each check adds up: balances by process, relations by name and cell.

    The balance of a stock goes unnamed beside that of its process.
    """
    names, rows = equation_labels(balance.model), found.rows
    out = []
    for start, stop in zip(rows.indptr[:-1], rows.indptr[1:], strict=True):
        parts = dict.fromkeys(names[np.sort(rows.indices[start:stop])])
        out.append(
            tuple(
                name
                for name in parts
                if not (name.startswith(STOCK_OF) and name.removeprefix(STOCK_OF) in parts)
            )
        )
    return out


def tangle_table(balance: Balance) -> pd.DataFrame:
    """Return every set of quantities that are undetermined together, the largest first."""
    found, names = balance.tangled, variable_labels(balance.model)
    rows = []
    places = np.arange(len(found.members))
    for tangle, own in groups_of(places, found.tangle).items():
        best = own[int(np.argmax(found.frees[own]))]
        rows.append(
            {
                "tangle": tangle + 1,
                "numbers": len(own),
                "measurements": int(found.dimension[tangle]),
                "best": names[found.members[best]],
                "frees": int(found.frees[best]),
                "items": tuple(names[found.members[own]]),
            }
        )
    table = pd.DataFrame(rows, columns=_TANGLES)
    return table.sort_values(["numbers", "tangle"], ascending=[False, True], ignore_index=True)


def chosen_rows(balance: Balance, numbers: Sequence[int]) -> pd.DataFrame:
    """Return the rows of the observability table that speak of some variables."""
    place = {int(number): k for k, number in enumerate(_with_reason(balance))}
    rows = [place[number] for number in numbers if number in place]
    return balance.observability.iloc[rows].reset_index(drop=True)
