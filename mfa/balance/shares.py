"""Coefficients and compositions: the variables they add, and the products they mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mfa.balance.axes import Axes
from mfa.balance.equations import NO_EDGE
from mfa.balance.network import Ints
from mfa.balance.products import Products
from mfa.schema import GOODS
from mfa.system import System

_DATA = ["value", "sd", "min", "max", "include"]


def share_variables(system: System, physical: pd.DataFrame) -> pd.DataFrame:
    """Return one variable per row of the sheets ``coefficients`` and ``compositions``.

    A share is at least 0, unless its ``min`` says otherwise or a flow of it may be negative. The
    year is 0 and the substance "" where one share stands for all of them.
    """
    parts = []
    negative = set(physical.loc[(physical["min"] < 0) | (physical["floor"] < 0), "item"])
    for kind, frame in (
        ("coefficient", system.coefficients),
        ("composition", system.compositions),
    ):
        flows = frame["flow"].astype(str)
        items = frame["coefficient"] if kind == "coefficient" else composition_names(frame)
        floor = [-np.inf if not negative.isdisjoint(f.split(",")) else 0.0 for f in flows]
        substance = frame["substance"]
        part = pd.DataFrame(
            {
                "kind": kind,
                "item": items,
                "substance": substance.where(substance.notna(), ""),
                "year": frame["year"].fillna(0).astype(np.int64),
                "row": np.arange(len(frame)),
                "step": 1.0,
                "tail": NO_EDGE,
                "head": NO_EDGE,
                "floor": floor,
                **{name: frame[name] for name in _DATA},
            }
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def composition_names(frame: pd.DataFrame) -> pd.Series:
    """Return the name of each composition: its flows and its substance, ``F1,F2/Nd``."""
    return frame["flow"].astype(str) + "/" + frame["substance"].astype(str)


class _Flows:
    """Numbers of the flow variables by flow, substance and year."""

    def __init__(self, axes: Axes, system: System) -> None:
        names = system.data["flow"].tolist()
        keys = zip(names, axes.layer.tolist(), axes.year.tolist(), strict=True)
        self.number = {key: i for i, key in enumerate(keys)}
        self.inputs = _by_process(axes, axes.head)
        self.outputs = _by_process(axes, axes.tail)


def _by_process(axes: Axes, ends: Ints) -> dict[tuple[int, int, int], list[int]]:
    """Map process, layer and year to the flow variables that start or end there."""
    out: dict[tuple[int, int, int], list[int]] = {}
    keys = zip(ends.tolist(), axes.layer.tolist(), axes.year.tolist(), strict=True)
    for number, key in enumerate(keys):
        out.setdefault(key, []).append(number)
    return out


def draw_up(system: System, axes: Axes, n_before: int) -> tuple[Products, pd.DataFrame]:
    """Return the products that coefficients and compositions mean.

    Parameters
    ----------
    system : System
    axes : Axes
    n_before : int
        Number of variables before the shares; flows come first, in the order of ``system.data``.

    Returns
    -------
    products : Products
    labels : DataFrame
        kind, item and cell of each product.
    """
    terms: list[tuple[int, int, list[int]]] = []
    labels: list[tuple[str, str, str]] = []
    if len(system.coefficients) or len(system.compositions):
        flows = _Flows(axes, system)
        rows = system.coefficients.to_dict("records")
        for k, row in enumerate(rows):
            found = [
                (flow, n_before + k, of) for flow, of in _coefficient(system, axes, flows, row)
            ]
            terms += found
            labels += [("coefficient", str(row["coefficient"]), str(row["cell"]))] * len(found)
        first = n_before + len(rows)
        names = composition_names(system.compositions).tolist()
        for k, row in enumerate(system.compositions.to_dict("records")):
            found = [(flow, first + k, [goods]) for flow, goods in _composition(axes, flows, row)]
            terms += found
            labels += [("composition", names[k], str(row["cell"]))] * len(found)
    pairs = np.array(
        [(p, column) for p, (_, _, of) in enumerate(terms) for column in of], dtype=np.int64
    ).reshape(-1, 2)
    n = n_before + len(system.coefficients) + len(system.compositions)
    shape = (len(terms), n)
    entries = (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1]))
    of = sp.csr_array(sp.coo_array(entries, shape=shape))
    products = Products(
        flow=np.array([flow for flow, _, _ in terms], dtype=np.int64),
        share=np.array([share for _, share, _ in terms], dtype=np.int64),
        of=of,
    )
    return products, pd.DataFrame(labels, columns=["kind", "item", "cell"], dtype=object)


def _coefficient(
    system: System, axes: Axes, flows: _Flows, row: dict[Any, Any]
) -> list[tuple[int, list[int]]]:
    """Return flow and ``of`` for each flow, substance and year that a coefficient speaks of."""
    layers, years = axes.layers.tolist(), axes.years.tolist()
    ends = dict(
        zip(
            system.flows["flow"],
            axes.processes.get_indexer(pd.Index(system.flows["from"])),
            strict=True,
        )
    )
    some = (
        [layers.index(row["substance"])]
        if isinstance(row["substance"], str)
        else range(len(layers))
    )
    when = range(len(years)) if np.isnan(row["year"]) else _positions(years, int(row["year"]))
    out = []
    for name in str(row["flow"]).split(","):
        for layer in some:
            for year in when:
                number = flows.number.get((name, layer, year))
                if number is None:
                    continue
                if row["of"] in ("inputs", "outputs"):
                    side = flows.inputs if row["of"] == "inputs" else flows.outputs
                    of = side.get((int(ends[name]), layer, year), [])
                else:
                    other = flows.number.get((str(row["of"]), layer, year))
                    of = [] if other is None else [other]
                out.append((number, of))
    return out


def _composition(axes: Axes, flows: _Flows, row: dict[Any, Any]) -> list[tuple[int, int]]:
    """Return substance and goods for each flow and year that a composition speaks of."""
    layers, years = axes.layers.tolist(), axes.years.tolist()
    if GOODS not in layers:
        return []
    layer, goods = layers.index(row["substance"]), layers.index(GOODS)
    when = range(len(years)) if np.isnan(row["year"]) else _positions(years, int(row["year"]))
    out = []
    for name in str(row["flow"]).split(","):
        for year in when:
            number = flows.number.get((name, layer, year))
            gross = flows.number.get((name, goods, year))
            if number is not None and gross is not None:
                out.append((number, gross))
    return out


def _positions(years: list[int], year: int) -> list[int]:
    return [years.index(year)] if year in years else []
