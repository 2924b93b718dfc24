"""Where metal is lost: every process's losses, and how likely each of them is the worst."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.losses import loss_covariance
from mfa.balance.network import Floats
from mfa.errors import MFAError
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.totals import total

COLUMNS = {
    "item": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "rank": "int64",
    "rank_best": "int64",
    "rank_worst": "int64",
    "bottleneck": "bool",
    "probability": "float64",
    "below_zero": "float64",
    "kind": "str",
    "stage": "str",
    "share_of_input": "float64",
    "share_of_end_of_life": "float64",
    "flows": "str",
    "unit": "str",
}
_KINDS = {
    "use": "collection system",
    "collection": "collection system",
    "sorting": "sorting technology",
    "recycling": "sorting technology",
}


def bottlenecks(balance: Balance, draws: int = 10_000, seed: int = 1) -> pd.DataFrame:
    """Return the losses of every process, worst first within each substance and year.

    A process's loss is the union of its flows with the role loss and its flows to disposal. An
    undetermined loss has no value but a range; losses are ranked by value, or by the middle of the
    range, and ``rank_best`` … ``rank_worst`` are the ranks that the ranges leave possible (for a
    determined loss the range is value ∓ 1.96 sd).

    ``probability`` that a loss is the worst of its substance and year is the share of joint
    Gaussian draws, with the covariance of the results, in which it is the largest. It is blank
    where an undetermined loss may be the worst. Nothing is cut off: draws below 0, which no loss
    can be, are counted as ``below_zero``; a draw with no loss above 0 has no worst one, so that
    the probabilities may add up to less than 1. Where ``below_zero`` is large, the sd is.

    Parameters
    ----------
    balance : Balance
    draws : int
        Number of draws; the probability's own sd is at most 0.5 / √draws.
    seed : int
        Of the draws: the same seed gives the same probabilities.

    Returns
    -------
    DataFrame
        item (process), substance, year, value, sd, low, high [unit of the system], rank,
        rank_best, rank_worst, bottleneck (the first rank), probability, below_zero, kind
        (collection system, sorting technology, process yield; missing data where it is
        undetermined), stage, share_of_input (of all that enters the process, where determined),
        share_of_end_of_life (loss ÷ what leaves use at its end of life), flows.

    Raises
    ------
    MFAError
        If there is not at least one draw.

    Examples
    --------
    >>> import networkx as nx
    >>> import mfa
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_nodes_from([("Use", {"kind": "source", "stage": "use"}), ("Dump", {"kind": "sink"})])
    >>> G.add_nodes_from([("Yard", {"stage": "collection"}), ("Market", {"kind": "export"})])
    >>> _ = G.add_edge("Use", "Yard", key="old", role="end_of_life", value=40.0, sd=2.0)
    >>> _ = G.add_edge("Yard", "Market", key="scrap", role="old_scrap", value=30.0, sd=1.0)
    >>> _ = G.add_edge("Yard", "Dump", key="burnt", role="loss")
    >>> balance = mfa.reconcile(mfa.System.from_graph(G))
    >>> row = mfa.bottlenecks(balance).iloc[0]
    >>> row["item"], float(row["value"]), row["kind"], float(row["probability"])
    ('Yard', 10.0, 'collection system', 1.0)
    """
    if draws < 1:
        raise MFAError(f"{draws} draws cannot tell anything; ask for at least 1")
    return _table(balance, draws, seed)


@remembered
def _table(balance: Balance, draws: int, seed: int) -> pd.DataFrame:
    known = places(balance)
    stages = dict(zip(*(balance.system.processes[c] for c in ("process", "stage")), strict=True))
    parts = [pd.DataFrame(columns=list(COLUMNS))]
    for (substance, year), losses in balance.losses.groupby(["substance", "year"], sort=True):
        key = str(substance), int(str(year))
        place = known[key]
        generated, enters = _generated(place), _enters(place, losses["process"].tolist())
        rows = []
        for row in losses.to_dict("records"):
            undetermined = bool(np.isnan(row["value"]))
            stage = str(stages[row["process"]] or "")
            rows.append(
                {
                    "item": row["process"],
                    "bottleneck": row["rank"] == 1,
                    "kind": "missing data" if undetermined else _KINDS.get(stage, "process yield"),
                    "stage": stage,
                    "share_of_input": row["value"] / enters[row["process"]],
                    "share_of_end_of_life": row["value"] / generated,
                    "unit": balance.system.unit,
                    "flows": ", ".join(row["flows"]),
                }
            )
        part = losses.drop(columns=["process", "flows"]).reset_index(drop=True)
        part = pd.concat([part, pd.DataFrame(rows)], axis=1)
        worst, below = _probabilities(balance, part, key, draws, seed)
        parts.append(part.assign(probability=worst, below_zero=below)[list(COLUMNS)])
    table = pd.concat([p for p in parts if len(p)] or parts, ignore_index=True).astype(COLUMNS)
    return table.assign(
        low=table["low"].replace(-np.inf, np.nan), high=table["high"].replace(np.inf, np.nan)
    )


def _enters(place: Place, names: list[str]) -> dict[str, float]:
    """Return what enters some processes, nan where that is undetermined or nothing."""
    sets, variables = place.sets, place.balance.model.variables
    flows = sets.counted & (sets.head != sets.tail)
    step = float(variables["step"].to_numpy(dtype=np.float64)[place.number[place.there][0]])
    known = np.bincount(sets.head[flows], place.x[flows], minlength=len(sets.imports)) / step
    open_ = np.unique(sets.head[flows & place.is_loose(place.number)])
    index = pd.Index(place.balance.system.processes["process"]).get_indexer(pd.Index(names))
    for at in np.intersect1d(index, open_).tolist():
        known[at] = total(flows & (sets.head == at), place).value
    found = np.where(known > 0, known, np.nan)[index]
    return dict(zip(names, found.tolist(), strict=True))


def _generated(place: Place) -> float:
    """Return what leaves use at its end of life, nan where that is undetermined or nothing."""
    sets = place.sets
    flows = sets.flows(("end_of_life",), sets.use)
    mass = total(flows, place).value if flows.any() else np.nan
    return mass if mass > 0 else np.nan


def _probabilities(
    balance: Balance, rows: pd.DataFrame, key: tuple[str, int], draws: int, seed: int
) -> tuple[Floats, Floats]:
    """Return how often each loss is the largest of its draw, and how often it is below 0."""
    value = rows["value"].to_numpy(dtype=np.float64)
    loose = np.isnan(value)
    worst, below = np.full(len(value), np.nan), np.full(len(value), np.nan)
    names, every = loss_covariance(balance, *key)
    at = [names.index(name) for name, out in zip(rows["item"], loose, strict=True) if not out]
    covariance = every[np.ix_(at, at)]
    found = drawn(value[~loose], covariance, draws, seed)
    below[~loose] = (found < 0).mean(axis=0)
    if not (loose & (rows["rank_best"] == 1).to_numpy()).any():
        first = found.argmax(axis=1) if found.shape[1] else np.zeros(0, dtype=np.int64)
        some = found.max(axis=1, initial=0.0) > 0
        count = np.bincount(first[some[: len(first)]], minlength=found.shape[1])
        worst[~loose] = count / draws
    return worst, below


def drawn(mean: Floats, covariance: Floats, draws: int, seed: int) -> Floats:
    """Return joint Gaussian draws, shape (draws, n); the covariance may be singular."""
    values, vectors = np.linalg.eigh(covariance) if len(mean) else (mean, covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = np.random.default_rng(seed).standard_normal((draws, len(mean)))
    return np.asarray(mean + normal @ root.T)
