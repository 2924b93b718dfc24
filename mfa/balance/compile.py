"""From a System to equations: which variables there are, which balances and relations tie them.

Everything is in mass per step: a rate times the length of its step, a stock level as it is. Each
stock has a balance of its own for every step, into which the change comes from its process and from
which the level goes on to the next step, so that levels and changes are edges like every flow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mfa.balance.axes import Axes, axes_of
from mfa.balance.equations import NO_EDGE, Equations
from mfa.balance.network import Floats, Ints
from mfa.balance.products import Products
from mfa.balance.relations import Relations, relate
from mfa.balance.survival import LIFETIME, CohortModel, Survival, cohort_models
from mfa.system import System

_DATA = ["value", "sd", "min", "max", "include"]


@dataclass(frozen=True, eq=False)
class Model:
    """The equations of a system, and what each variable and each row stands for.

    Attributes
    ----------
    equations : Equations
        The linear ones; once solved, with the products linearised at the solution.
    products : Products
        Coefficients and compositions.
    variables : DataFrame
        One row per variable: kind (flow, change, level, observation, lifetime, coefficient,
        composition), item (flow, process, or name of the row), substance, year (0: all years), row
        (position in its table; −1 where the table has none), step (what a value in the system's
        unit is multiplied by to be a mass per step).
    nodes : DataFrame
        One row per balance: process, substance, year, step (its length), stock (whether it is the
        stock's own).
    relations : DataFrame
        One row per relation: kind, item, cell.
    cohorts : tuple of CohortModel
        What lifetimes say of stocks, whether it is among the relations or not.
    survival : {"exact", "soft", "off"}
        How strictly cohorts bind.
    cv : float
        Relative sd of an outflow about its cohorts, where they bind softly.
    """

    system: System
    equations: Equations
    products: Products
    variables: pd.DataFrame
    nodes: pd.DataFrame
    relations: pd.DataFrame
    cohorts: tuple[CohortModel, ...]
    survival: Survival
    cv: float

    def cell(self, number: int) -> str:
        """Return ``sheet!cell`` of a variable's datum, "" where its table has no row for it."""
        row = int(self.variables["row"].to_numpy(dtype=np.int64)[number])
        return str(self.table(number)["cell"].iat[row]) if row >= 0 else ""

    def name(self, number: int) -> str:
        """Return the words for a variable in a message: kind, item, substance, year."""
        variable = self.variables.iloc[number]
        where = [str(variable[key]) for key in ("substance", "year") if variable[key]]
        return ", ".join([f"{variable['kind']} {variable['item']!r}", *where])

    def table(self, number: int) -> pd.DataFrame:
        """Return the table in which a variable's datum stands."""
        kind = self.variables["kind"].iat[number]
        return data_tables(self.system)[str(kind)]


def data_tables(system: System) -> dict[str, pd.DataFrame]:
    """Return the table that the data of each kind of variable stand in."""
    return {
        "flow": system.data,
        "change": system.stocks,
        "level": system.stocks,
        "observation": system.observations,
        **_lifetime_data(system),
        "coefficient": system.coefficients,
        "composition": system.compositions,
    }


def _lifetime_data(system: System) -> dict[str, pd.DataFrame]:
    """Return the lifetimes with the columns that data have; they hold no datum themselves."""
    table = system.tables.get("lifetimes")
    if table is None:
        return {}
    return {
        LIFETIME: table.assign(
            value=np.nan,
            sd=np.nan,
            basis="estimate",
            include=True,
            reference=table["reference"].fillna(""),
            note=table["note"].fillna(""),
        )
    }


def compile_system(
    system: System, survival: Survival = "off", cv: float = np.nan, sd: Floats | None = None
) -> Model:
    """Return the equations of a system.

    Parameters
    ----------
    system : System
    survival : {"exact", "soft", "off"}
        How strictly cohorts bind.
    cv : float
        Relative sd of an outflow about its cohorts, where they bind softly.
    sd : array, optional
        sd of every statement about cohorts [mass per step], where they bind softly.

    Raises
    ------
    BalanceError
        If an observation speaks of something that the system does not have.
    """
    axes = axes_of(system)
    n_processes = int(axes.drawn_up.sum())
    process_node = (
        np.where(axes.drawn_up, np.cumsum(axes.drawn_up).reshape(axes.drawn_up.shape), 0) - 1
    )
    pairs = np.argwhere(axes.drawn_up.any(axis=2) & axes.stores[:, None])
    n_nodes = n_processes + len(pairs) * len(axes.years)
    flows = _flow_variables(system, axes, process_node, n_nodes)
    stocks = _stock_variables(system, axes, process_node, pairs, n_nodes)
    physical = pd.concat([flows, stocks], ignore_index=True)
    cohorts = cohort_models(system, axes, physical)
    binding = () if survival == "off" else cohorts
    related = relate(system, axes, physical, binding, sd)
    variables = pd.concat([physical, related.variables], ignore_index=True)
    return Model(
        system=system,
        equations=_equations(variables, n_nodes, related, by_few=bool(binding)),
        products=related.products,
        variables=variables[["kind", "item", "substance", "year", "row", "step"]],
        nodes=_node_table(axes, pairs),
        relations=related.labels,
        cohorts=cohorts,
        survival=survival if cohorts else "off",
        cv=cv,
    )


def _flow_variables(
    system: System, axes: Axes, process_node: Ints, environment: int
) -> pd.DataFrame:
    """Return one variable per row of the data."""
    ends = {}
    for name, process in (("tail", axes.tail), ("head", axes.head)):
        node = process_node[process, axes.layer, axes.year]
        ends[name] = np.where(node < 0, environment, node)
    free = system.flows["role"].str.contains("discrepancy").to_numpy(dtype=bool)[axes.flow]
    data = system.data
    return pd.DataFrame(
        {
            "kind": "flow",
            "item": data["flow"],
            "substance": data["substance"],
            "year": data["year"],
            "row": np.arange(len(data)),
            "step": axes.steps[axes.year],
            **ends,
            "floor": np.where(free, -np.inf, 0.0),
            **{name: data[name] for name in _DATA},
        }
    )


def _stock_variables(
    system: System, axes: Axes, process_node: Ints, pairs: Ints, environment: int
) -> pd.DataFrame:
    """Return changes and levels of every stock, and levels that stand in no step."""
    n_years, n_pairs = len(axes.years), len(pairs)
    own = environment - n_pairs * n_years + np.arange(n_pairs * n_years).reshape(n_pairs, n_years)
    source = process_node[pairs[:, 0], pairs[:, 1]]
    change = _stock_frame(axes, pairs, "change", np.asarray(axes.years))
    change["tail"] = np.where(source < 0, environment, source).ravel()
    change["head"] = own.ravel()
    change["step"] = np.tile(axes.steps, n_pairs)
    opening = axes.years[0] - 1
    level = _stock_frame(axes, pairs, "level", np.concatenate([[opening], axes.years]))
    outside = np.full((n_pairs, 1), environment)
    level["tail"] = np.hstack([outside, own]).ravel()
    level["head"] = np.hstack([own, outside]).ravel()
    level["step"] = 1.0
    frame = pd.concat([change, level], ignore_index=True)
    keys = ["item", "substance", "year", "kind"]
    given = system.stocks.rename(columns={"process": "item", "quantity": "kind"})
    given = given[[*keys, *_DATA]].assign(row=np.arange(len(given)))
    there = pd.MultiIndex.from_frame(given[keys]).isin(pd.MultiIndex.from_frame(frame[keys]))
    loose = given[keys][~there].assign(tail=NO_EDGE, head=NO_EDGE, step=1.0)
    frame = pd.concat([frame, loose], ignore_index=True) if len(loose) else frame
    frame = frame.merge(given, on=keys, how="left")
    frame["row"] = frame["row"].fillna(-1).astype(np.int64)
    frame["include"] = frame["include"].isna() | frame["include"].eq(True)
    frame["floor"] = np.where(frame["kind"] == "level", 0.0, -np.inf)
    return frame


def _stock_frame(axes: Axes, pairs: Ints, kind: str, years: Ints) -> pd.DataFrame:
    each = len(years)
    return pd.DataFrame(
        {
            "kind": kind,
            "item": np.repeat(axes.processes[pairs[:, 0]].to_numpy(), each),
            "substance": np.repeat(axes.layers[pairs[:, 1]].to_numpy(), each),
            "year": np.tile(years, len(pairs)),
        }
    )


def _node_table(axes: Axes, pairs: Ints) -> pd.DataFrame:
    codes = np.argwhere(axes.drawn_up)
    n_years = len(axes.years)
    process = np.concatenate([codes[:, 0], np.repeat(pairs[:, 0], n_years)])
    layer = np.concatenate([codes[:, 1], np.repeat(pairs[:, 1], n_years)])
    year = np.concatenate([codes[:, 2], np.tile(np.arange(n_years), len(pairs))])
    return pd.DataFrame(
        {
            "process": axes.processes[process],
            "substance": axes.layers[layer],
            "year": axes.years[year],
            "step": axes.steps[year],
            "stock": np.arange(len(process)) >= len(codes),
        }
    )


def _equations(
    variables: pd.DataFrame, n_nodes: int, related: Relations, *, by_few: bool
) -> Equations:
    step = variables["step"].to_numpy(dtype=np.float64)
    value, sd, low, high = (
        variables[name].to_numpy(dtype=np.float64) * step for name in ("value", "sd", "min", "max")
    )
    known = ~np.isnan(value) & variables["include"].to_numpy(dtype=bool)
    floor = variables["floor"].to_numpy(dtype=np.float64)
    return Equations(
        n_nodes=n_nodes,
        tail=variables["tail"].to_numpy(dtype=np.int64),
        head=variables["head"].to_numpy(dtype=np.int64),
        relations=related.matrix,
        right=np.zeros(related.matrix.shape[0]),
        y=value,
        sd=sd,
        measured=known & (sd > 0),
        fixed=known & (sd == 0),
        lower=np.where(np.isnan(low), floor, low),
        upper=np.where(np.isnan(high), np.inf, high),
        start=np.zeros(len(variables)),
        by_few=by_few,
    )
