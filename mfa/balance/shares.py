"""Coefficients and compositions: the variables they add, and the products they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import networkx as nx
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


@dataclass(frozen=True, eq=False)
class Spoken:
    """What a share says in one layer and year: flow = share × Σ of.

    Attributes
    ----------
    share : int
        Row in ``coefficients``, then in ``compositions``.
    flow : int
        Variable.
    of : tuple of int
        Variables that add up to what the flow is a share of.
    layer, year : int
        Codes.
    whole : bool
        Whether they add up to all of it; for goods, some flows may have no row.
    """

    share: int
    flow: int
    of: tuple[int, ...]
    layer: int
    year: int
    whole: bool


class Equal(NamedTuple):
    """Variables of two shares that are one quantity; kind, item and cell of the first."""

    number: int
    other: int
    label: tuple[str, str, str]


class _Flows:
    """Numbers of the flow variables by flow, substance and year."""

    def __init__(self, axes: Axes, system: System) -> None:
        self.axes = axes
        names = system.data["flow"].tolist()
        keys = zip(names, axes.layer.tolist(), axes.year.tolist(), strict=True)
        self.number = {key: i for i, key in enumerate(keys)}
        self.ends = {"inputs": axes.head, "outputs": axes.tail}
        self.sides = {side: _by_process(axes, ends) for side, ends in self.ends.items()}
        processes = axes.processes.get_indexer(pd.Index(system.flows["from"]))
        self.source = dict(zip(system.flows["flow"], processes.tolist(), strict=True))

    def side(self, of: str, flow: str, layer: int, year: int) -> tuple[tuple[int, ...], bool]:
        """Return the flows into or out of a flow's process, and whether these are all."""
        process = self.source[flow]
        found = self.sides[of].get((process, layer, year), [])
        if self.axes.layers[layer] != GOODS:
            return tuple(found), True
        flows, here = self.axes.flow, self.ends[of] == process
        every = np.unique(flows[here & (self.axes.year == year)])
        return tuple(found), len(every) == len(found) > 0


def _by_process(axes: Axes, ends: Ints) -> dict[tuple[int, int, int], list[int]]:
    """Map process, layer and year to the flow variables that start or end there."""
    out: dict[tuple[int, int, int], list[int]] = {}
    keys = zip(ends.tolist(), axes.layer.tolist(), axes.year.tolist(), strict=True)
    for number, key in enumerate(keys):
        out.setdefault(key, []).append(number)
    return out


def spoken_of(system: System, axes: Axes) -> list[Spoken]:
    """Return all that coefficients and compositions say, layer by layer and year by year."""
    if not (len(system.coefficients) or len(system.compositions)):
        return []
    flows = _Flows(axes, system)
    out = []
    for k, row in enumerate(system.coefficients.to_dict("records")):
        out += _coefficient(axes, flows, k, row)
    for k, row in enumerate(system.compositions.to_dict("records")):
        out += _composition(axes, flows, len(system.coefficients) + k, row)
    return out


def draw_up(
    system: System, axes: Axes, n_before: int
) -> tuple[Products, pd.DataFrame, list[Equal]]:
    """Return the products that coefficients and compositions mean.

    Shares that say the same of a flow are one quantity with several data: one of them stands for
    all in the products, the others are equal to it. (Two products c₁S = x = c₂S would also hold
    for S = x = 0.)

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
    equal : list of Equal
    """
    spoken = [one for one in spoken_of(system, axes) if one.whole]
    names = _names(system)
    same = _same(spoken, _by_certainty(system))
    unique = {(one.flow, one.of): same[one.share] for one in spoken}
    entries = [(p, column) for p, (_, of) in enumerate(unique) for column in of]
    pairs = np.array(entries, dtype=np.int64).reshape(-1, 2)
    shape = (len(unique), n_before + len(names))
    of = sp.csr_array(sp.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape))
    products = Products(
        flow=np.array([flow for flow, _ in unique], dtype=np.int64),
        share=n_before + np.array(list(unique.values()), dtype=np.int64),
        of=of,
    )
    labels = pd.DataFrame(
        [names[k] for k in unique.values()], columns=["kind", "item", "cell"], dtype=object
    )
    equal = [
        Equal(n_before + k, n_before + first, names[k]) for k, first in same.items() if k != first
    ]
    return products, labels, equal


def _names(system: System) -> list[tuple[str, str, str]]:
    """Return kind, item and cell of every coefficient, then of every composition."""
    out = []
    for kind, frame, items in (
        ("coefficient", system.coefficients, system.coefficients["coefficient"]),
        ("composition", system.compositions, composition_names(system.compositions)),
    ):
        rows = zip(items.tolist(), frame["cell"].tolist(), strict=True)
        out += [(kind, str(item), str(cell)) for item, cell in rows]
    return out


def _by_certainty(system: System) -> list[int]:
    """Return the place of every share in the order of what is known of it, the surest first."""
    data = ["value", "sd", "include"]
    rows = pd.concat([system.coefficients[data], system.compositions[data]], ignore_index=True)
    known = rows["value"].notna() & rows["include"].astype(bool)
    sd = rows["sd"].where(known, np.inf).fillna(np.inf)
    order = np.argsort(sd.to_numpy(dtype=np.float64), kind="stable")
    return [int(place) for place in np.argsort(order)]


def _same(spoken: list[Spoken], place: list[int]) -> dict[int, int]:
    """Map every share to the surest of those that say the same of some flow."""
    said: dict[tuple[int, tuple[int, ...]], int] = {}
    graph = nx.Graph()
    for one in spoken:
        graph.add_edge(one.share, said.setdefault((one.flow, one.of), one.share))
    out: dict[int, int] = {}
    for group in nx.connected_components(graph):
        first = min(group, key=lambda share: place[share])
        out |= dict.fromkeys(group, first)
    return dict(sorted(out.items()))


def _coefficient(axes: Axes, flows: _Flows, share: int, row: dict[Any, Any]) -> list[Spoken]:
    layers, years = axes.layers.tolist(), axes.years.tolist()
    one = isinstance(row["substance"], str)
    some = [layers.index(row["substance"])] if one else range(len(layers))
    out = []
    for name in str(row["flow"]).split(","):
        for layer in some:
            for year in _years(years, row["year"]):
                number = flows.number.get((name, layer, year))
                if number is None:
                    continue
                if row["of"] in ("inputs", "outputs"):
                    of, whole = flows.side(row["of"], name, layer, year)
                else:
                    other = flows.number.get((str(row["of"]), layer, year))
                    of = () if other is None else (other,)
                    whole = other is not None or layers[layer] != GOODS
                out.append(Spoken(share, number, of, layer, year, whole))
    return out


def _composition(axes: Axes, flows: _Flows, share: int, row: dict[Any, Any]) -> list[Spoken]:
    layers, years = axes.layers.tolist(), axes.years.tolist()
    if GOODS not in layers:
        return []
    layer, goods = layers.index(row["substance"]), layers.index(GOODS)
    out = []
    for name in str(row["flow"]).split(","):
        for year in _years(years, row["year"]):
            number = flows.number.get((name, layer, year))
            gross = flows.number.get((name, goods, year))
            if number is not None and gross is not None:
                out.append(Spoken(share, number, (gross,), layer, year, whole=True))
    return out


def _years(years: list[int], year: float) -> list[int]:
    """Return the positions that a year means, all of them if it is blank."""
    if np.isnan(year):
        return list(range(len(years)))
    return [years.index(int(year))] if year in years else []
