"""Observations as rows of relations, coefficients and compositions as products."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mfa.balance.axes import Axes
from mfa.balance.equations import NO_EDGE
from mfa.balance.network import Floats
from mfa.balance.products import Products
from mfa.balance.shares import draw_up, share_variables
from mfa.balance.survival import CohortModel, state
from mfa.errors import BalanceError
from mfa.system import System


@dataclass(frozen=True, eq=False)
class Relations:
    """Relations R x = 0 and products, and the variables that they add.

    Attributes
    ----------
    matrix : sparse array, shape (relations, variables)
        Over the physical variables, then the added ones.
    products : Products
    variables : DataFrame
        One row per observation (its sum), error of a lifetime, coefficient and composition.
    labels : DataFrame
        kind, item and cell of each relation, then of each product.
    """

    matrix: sp.csr_array
    products: Products
    variables: pd.DataFrame
    labels: pd.DataFrame


@dataclass(slots=True)
class _Rows:
    """Entries of the relations while they are collected."""

    row: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    labels: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, terms: Iterable[tuple[int, float]], kind: str, item: str, cell: str) -> None:
        """Add one relation Σ factor × variable = 0."""
        for column, factor in terms:
            self.row.append(len(self.labels))
            self.column.append(column)
            self.value.append(factor)
        self.labels.append((kind, item, cell))


class _Finder:
    """Numbers of the variables by what they stand for."""

    def __init__(self, variables: pd.DataFrame) -> None:
        self.step = variables["step"].to_numpy(dtype=np.float64)
        keys = ["kind", "item", "substance", "year"]
        self._numbers = {
            key: i for i, key in enumerate(zip(*(variables[k].tolist() for k in keys), strict=True))
        }

    def find(self, kind: str, item: str, substance: str, year: int) -> int | None:
        """Return the number of a variable, or None if the system has no such one."""
        return self._numbers.get((kind, item, substance, year))


def relate(
    system: System,
    axes: Axes,
    physical: pd.DataFrame,
    models: Sequence[CohortModel] = (),
    sd: Floats | None = None,
) -> Relations:
    """Return the relations of a system over its physical variables.

    Parameters
    ----------
    system, axes, physical
    models : sequence of CohortModel
        What lifetimes say of stocks.
    sd : array, optional
        sd of each of their statements [mass per step]; None if they hold exactly.

    Raises
    ------
    BalanceError
        If an observation speaks of something that the system does not have.
    """
    rows = _Rows()
    statements: dict[str, list[int]] = {}
    for at, name in enumerate(system.observations["observation"].tolist()):
        statements.setdefault(str(name), []).append(at)
    gaps = _gap_levels(system, physical)
    finder = _Finder(physical if statements or gaps else physical.iloc[:0])
    records = system.observations.to_dict("records")
    for k, (name, places) in enumerate(statements.items()):
        _add_observation(rows, finder, name, [records[at] for at in places], len(physical) + k)
    _add_gap_levels(rows, finder, gaps, axes)
    observed = _observed(system, [places[0] for places in statements.values()])
    shares = share_variables(system, physical)
    n_first = len(physical) + len(observed)
    n_errors = 0 if sd is None else len(sd)
    n = n_first + n_errors + len(shares)
    products, labels, equal = draw_up(system, axes, n_first + n_errors)
    for number, other, label in equal:
        rows.add([(number, 1.0), (other, -1.0)], *label)
    entries = (np.array(rows.value), (np.array(rows.row, int), np.array(rows.column, int)))
    matrix = sp.csr_array(sp.coo_array(entries, shape=(len(rows.labels), n)))
    parts, named = [observed, shares], [_labels(rows), labels]
    if models:
        aged = state(system, axes, models, sd, n_first, n)
        matrix = sp.csr_array(sp.vstack([matrix, aged.matrix], format="csr"))
        parts = [observed, *([aged.errors] if n_errors else []), shares]
        named = [_labels(rows), aged.labels, labels]
    return Relations(
        matrix=matrix,
        products=products,
        variables=pd.concat(parts, ignore_index=True),
        labels=pd.concat(named, ignore_index=True),
    )


def _labels(rows: _Rows) -> pd.DataFrame:
    return pd.DataFrame(rows.labels, columns=["kind", "item", "cell"], dtype=object)


def _observed(system: System, rows: list[int]) -> pd.DataFrame:
    """Return one variable per observation, given its first row, with its datum or its limit."""
    frame = system.observations.iloc[rows]
    limit = frame["value"].to_numpy(dtype=np.float64)
    relation = frame["relation"].to_numpy(dtype=object)
    included = frame["include"].to_numpy(dtype=bool)
    equal = relation == "="
    return pd.DataFrame(
        {
            "kind": "observation",
            "item": frame["observation"].to_numpy(dtype=object),
            "substance": frame["substance"].to_numpy(dtype=object),
            "year": frame["year"].to_numpy(),
            "row": np.array(rows, dtype=np.int64),
            "step": 1.0,
            "tail": NO_EDGE,
            "head": NO_EDGE,
            "floor": -np.inf,
            "value": np.where(equal, limit, np.nan),
            "sd": np.where(equal, frame["sd"].to_numpy(dtype=np.float64), np.nan),
            "min": np.where((relation == ">=") & included, limit, np.nan),
            "max": np.where((relation == "<=") & included, limit, np.nan),
            "include": included,
        }
    )


def _add_observation(
    rows: _Rows, finder: _Finder, name: str, terms: list[dict[Hashable, Any]], number: int
) -> None:
    """Add Σ factor × term − sum = 0; terms are rates or levels, variables mass per step."""
    entries = [(number, -1.0)]
    for term in terms:
        flow = isinstance(term["flow"], str)
        kind = "flow" if flow else str(term["quantity"])
        item = term["flow"] if flow else term["process"]
        column = finder.find(kind, str(item), str(term["substance"]), int(term["year"]))
        if column is None:
            raise BalanceError(
                f"{term['cell']}: the observation {name!r} speaks of {kind} {item!r} for "
                f"{term['substance']} in {term['year']}, which the system does not have; "
                "add a row with a blank value for it",
                [str(term["cell"])],
            )
        entries.append((column, float(term["factor"]) / finder.step[column]))
    rows.add(entries, "observation", name, str(terms[0]["cell"]))


def _gap_levels(system: System, physical: pd.DataFrame) -> list[tuple[str, str, int]]:
    """List the levels given for a year between two flow years: process, substance, year."""
    loose = physical[(physical["kind"] == "level") & (physical["tail"] == NO_EDGE)]
    inside = loose[loose["year"].between(system.years[0], system.years[-1])]
    columns = (inside[name].tolist() for name in ("item", "substance", "year"))
    return list(zip(*columns, strict=True))


def _add_gap_levels(
    rows: _Rows, finder: _Finder, gaps: list[tuple[str, str, int]], axes: Axes
) -> None:
    """Add level − level before − share of the step × change = 0: the rate is even over a step."""
    years = axes.years.to_numpy()
    for process, substance, year in gaps:
        t = int(np.searchsorted(years, year))
        before, step = int(years[t] - axes.steps[t]), axes.steps[t]
        level = finder.find("level", process, substance, year)
        opening = finder.find("level", process, substance, before)
        change = finder.find("change", process, substance, int(years[t]))
        if level is None or opening is None or change is None:
            continue
        terms = [(level, 1.0), (opening, -1.0), (change, -(year - before) / step)]
        rows.add(terms, "level", process, f"{year}")
