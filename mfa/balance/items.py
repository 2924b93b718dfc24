"""Which variables the items mean that users name."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mfa.balance.compile import Model
from mfa.balance.labels import variable_labels
from mfa.balance.network import Ints, Mask
from mfa.balance.survival import LIFETIME
from mfa.errors import MFAError, near

Item = str | tuple[str, int] | tuple[str, str, int]


def find_numbers(model: Model, items: Iterable[Item]) -> Ints:
    """Return the variables that items mean.

    Parameters
    ----------
    model : Model
    items : iterable
        An id; or (id, year); or (id, substance, year) where an id alone means several; or a label
        as results show it. See `Balance.numbers`.

    Raises
    ------
    MFAError
        If there is no such item, or it means several.
    """
    return np.array([_number(model, item) for item in items], dtype=np.int64)


def _number(model: Model, item: Item) -> int:
    variables = model.variables
    parts = (item,) if isinstance(item, str) else tuple(item)
    match = _named(model, str(parts[0]))
    if not match.any():
        match = variable_labels(model) == parts[0]
    elif len(parts) == 1 and match.sum() > 1:
        own = match & (variable_labels(model) == parts[0])
        match = own if own.any() else match
    if not match.any():
        known = dict.fromkeys(map(str, variables["item"]))
        advice = near(str(parts[0]), known, "see balance.flows")
        raise MFAError(
            f"there is no flow, stock, observation, coefficient or composition {parts[0]!r}; "
            f"{advice}"
        )
    exact = match.copy()  # what has the year and substance itself goes before what is common to all
    if len(parts) > 1:
        match &= variables["year"].isin([parts[-1], 0]).to_numpy()
        exact &= (variables["year"] == parts[-1]).to_numpy()
    if len(parts) > 2:
        match &= variables["substance"].isin([parts[1], ""]).to_numpy()
        exact &= (variables["substance"] == parts[1]).to_numpy()
    match = exact if len(parts) > 1 and exact.any() else match
    if match.sum() != 1:
        raise MFAError(
            f"{item!r} means {int(match.sum())} quantities; name one as (id, year) or "
            "(id, substance, year)"
        )
    return int(np.flatnonzero(match)[0])


def _named(model: Model, name: str) -> Mask:
    """Return the variables with an id; of compositions, any of their flows.

    Levels, and errors of lifetimes, are left out: only their labels mean them.
    """
    known = model.variables["item"].to_numpy(dtype=object)
    kind = model.variables["kind"].to_numpy(dtype=object)
    match = (known == name) & (kind != "level") & (kind != LIFETIME)
    if match.any() or "/" not in name:
        return np.asarray(match)
    flow, _, substance = name.rpartition("/")
    shared = [
        of == "composition"
        and str(item).rpartition("/")[2] == substance
        and flow in str(item).rpartition("/")[0].split(",")
        for of, item in zip(kind, known, strict=True)
    ]
    return np.array(shared, dtype=bool)
