"""What quantities, balances and relations are called in results, each in a few words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.balance.compile import Model, data_tables
from mfa.balance.network import Ints
from mfa.balance.survival import LIFETIME

STOCK_OF = "stock of "
_STOCK = ("level", "change", LIFETIME)
_MOST = 3  # flows that share a composition


def label(model: Model, kind: str, item: str, substance: str, year: int) -> str:
    """Return what a quantity is called: its id, and what else is needed to tell it from others.

    A stock's level and change say which they are; the substance is named where there are several
    (not of compositions, whose id says it), the year unless there is but one. Of many flows that
    share a composition only the first is named.

    Parameters
    ----------
    model : Model
    kind, item, substance, year
        As in ``model.variables``; year 0 stands for all years.
    """
    flows, _, of = item.rpartition("/") if kind == "composition" else ("", "", "")
    several = flows.split(",")
    if len(several) > _MOST:
        item = f"{several[0]} and {len(several) - 1} more/{of}"
    parts = [item]
    if kind in _STOCK:
        parts.append(kind)
    if substance and kind != "composition" and len(model.system.layers) > 1:
        parts.append(substance)
    if year and model.system.years != (year,):
        parts.append(str(year))
    return " ".join(parts)


def variable_labels(model: Model) -> np.ndarray:
    """Return the label of every variable, shape (n,)."""
    variables = model.variables
    columns = (variables[name].tolist() for name in ("kind", "item", "substance", "year"))
    names = [
        label(model, str(kind), str(item), str(substance), int(year))
        for kind, item, substance, year in zip(*columns, strict=True)
    ]
    return np.array(names, dtype=object)


def equation_labels(model: Model) -> np.ndarray:
    """Return the label of every balance and relation, shape (equations,).

    A balance is called by its process, that of a stock "stock of" its process, and a relation by
    what it stems from, with its cell.
    """
    nodes = model.nodes
    columns = (nodes[name].tolist() for name in ("process", "substance", "year", "stock"))
    names = [
        label(model, "", f"{STOCK_OF if stock else ''}{process}", str(substance), int(year))
        for process, substance, year, stock in zip(*columns, strict=True)
    ]
    for kind, item, cell in model.relations[["kind", "item", "cell"]].itertuples(index=False):
        named = label(model, "" if kind == LIFETIME else str(kind), str(item), "", 0)
        names.append(f"{kind} {named}" + (f" ({cell})" if cell else ""))
    return np.array(names, dtype=object)


def blank_years(years: pd.Series) -> pd.Series:
    """Return years in which 0, which stands for all years, is blank."""
    return years.astype("Int64").mask(years.astype("int64") == 0)


def described(model: Model, numbers: Ints) -> pd.DataFrame:
    """Return item, quantity (the kind), substance, year, cell and reference of variables."""
    some = model.variables.iloc[numbers].reset_index(drop=True)
    rows = some["row"].to_numpy(dtype=np.int64)
    out = some[["item", "kind", "substance", "year"]].rename(columns={"kind": "quantity"})
    out["year"] = blank_years(out["year"])
    for name in ("cell", "reference"):
        texts = np.full(len(numbers), "", dtype=object)
        for kind, table in data_tables(model.system).items():
            here = (some["kind"] == kind).to_numpy() & (rows >= 0)
            if here.any():
                texts[here] = table[name].to_numpy(dtype=object)[rows[here]]
        out[name] = texts
    return out


def shown_as(model: Model, rows: pd.DataFrame) -> list[str]:
    """Return the labels of rows with the columns item, quantity, substance and year."""
    columns = (rows[name].tolist() for name in ("quantity", "item", "substance"))
    years = rows["year"].fillna(0).astype(int).tolist()
    return [label(model, *one) for one in zip(*columns, years, strict=True)]
