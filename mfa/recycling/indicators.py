"""The recycling indicators, each a ratio of sums over roles and stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.recycling.memory import remembered
from mfa.recycling.origin import new_scrap, old_scrap, scrap
from mfa.recycling.place import Place, Term, drawing_only, places
from mfa.recycling.ratio import Result, evaluate
from mfa.recycling.sets import Sets

_WORTH_NAMING = 0.01
_CERTAIN = 1e-7


@dataclass(frozen=True, slots=True)
class Definition:
    """An indicator: what is counted above and below, in which scope, after which source.

    ``parts`` names what each must contain to be formed at all, in words for the user.
    """

    indicator: str
    above: Callable[[Sets], list[Term]]
    below: Callable[[Sets], list[Term]]
    above_is: str
    below_is: str
    scope: str
    source: str


def _generated(sets: Sets) -> list[Term]:
    """E: what leaves use at its end of life."""
    return [Term(sets.flows(("end_of_life",), sets.use))]


def _collected(sets: Sets) -> list[Term]:
    """col: old scrap that leaves use and collection for somewhere else than disposal."""
    outside = ~sets.collection & ~sets.disposal
    return [Term(sets.flows(("old_scrap",), sets.use | sets.collection, outside))]


def _new_generated(sets: Sets) -> list[Term]:
    return [Term(sets.flows(("new_scrap",), sets.makers))]


def _all_recycled(sets: Sets) -> list[Term]:
    """rec: the system's own old and new scrap, and scrap from the market or abroad, to makers."""
    own = sets.flows(("old_scrap", "new_scrap"), sets.lane | sets.makers | sets.use, sets.makers)
    mixed = sets.flows(("scrap",), sets.lane | sets.imports, sets.makers)
    return [Term(own | mixed)]


def _primary(sets: Sets) -> list[Term]:
    """prim: primary metal that enters smelting and refining from outside of it."""
    source = (sets.imports | sets.kind("source") | sets.makers) & ~sets.smelting
    return [Term(sets.flows(("primary",), source, sets.smelting))]


def _produced(sets: Sets) -> list[Term]:
    """prod: refined metal from smelting and refining, counted where it leaves them."""
    return [Term(sets.flows(("refined",), sets.smelting, ~sets.smelting))]


def _produced_from_scrap(sets: Sets) -> list[Term]:
    return [Term(sets.flows(("refined",), sets.smelting, ~sets.smelting), scrap(sets))]


def _recycled(sets: Sets, role: str, exported: bool = False) -> list[Term]:
    """rec_k, or rec_k + exp_k: flows of one kind of scrap, and its share of mixed ones."""
    own = sets.flows((role,), sets.lane | sets.makers | sets.use, sets.makers)
    mixed = sets.flows(("scrap",), sets.lane, sets.makers)
    if exported:
        own = own | sets.flows((role,), target=sets.exports)
        mixed = mixed | sets.flows(("scrap",), sets.lane, sets.exports)
    return [Term(own), Term(mixed, old_scrap(sets) if role == "old_scrap" else new_scrap(sets))]


def _old(sets: Sets) -> list[Term]:
    return _recycled(sets, "old_scrap")


def _new(sets: Sets) -> list[Term]:
    return _recycled(sets, "new_scrap")


def _old_and_exported(sets: Sets) -> list[Term]:
    return _recycled(sets, "old_scrap", exported=True)


def _new_and_exported(sets: Sets) -> list[Term]:
    return _recycled(sets, "new_scrap", exported=True)


_E = "end_of_life flows from a process of stage use"
_COL = "old_scrap flows from a process of stage use or collection"
_REC_OLD = "old_scrap, or scrap from collection, sorting, recycling or scrap trade, to makers"
_UNEP = "UNEP 2011, Recycling Rates of Metals"

DEFINITIONS = (
    Definition(
        "collection_rate",
        _collected,
        _generated,
        _COL,
        _E,
        "old scrap collected / generated",
        _UNEP,
    ),
    Definition(
        "processing_rate",
        _old_and_exported,
        _collected,
        _REC_OLD,
        _COL,
        "old scrap recycled or exported / collected",
        _UNEP,
    ),
    Definition(
        "eol_recycling_rate",
        _old_and_exported,
        _generated,
        _REC_OLD,
        _E,
        "functional recycling of old scrap; exported scrap counts as recycled",
        _UNEP,
    ),
    Definition(
        "eol_recycling_rate_domestic",
        _old,
        _generated,
        _REC_OLD,
        _E,
        "functional recycling of old scrap inside the boundary",
        _UNEP,
    ),
    Definition(
        "recycling_input_rate_total",
        _all_recycled,
        lambda sets: _primary(sets) + _all_recycled(sets),
        "scrap flows to makers",
        "primary flows into smelting and refining, or scrap flows to makers",
        "old, new and imported scrap / all metal input",
        "ICSG; Glöser et al. 2013",
    ),
    Definition(
        "recycling_input_rate_old",
        _old,
        lambda sets: _primary(sets) + _all_recycled(sets),
        _REC_OLD,
        "primary flows into smelting and refining, or scrap flows to makers",
        "domestic old scrap only / all metal input",
        "Eurostat, end-of-life recycling input rate",
    ),
    Definition(
        "recycled_share_refined",
        _produced_from_scrap,
        _produced,
        "refined flows from smelting or refining",
        "refined flows from smelting or refining",
        "refined metal that stems from scrap of any kind / refined production",
        "ICSG",
    ),
    Definition(
        "old_scrap_ratio",
        _old,
        lambda sets: _old(sets) + _new(sets),
        _REC_OLD,
        "old or new scrap to makers",
        "old scrap / old and new scrap recycled",
        _UNEP,
    ),
    Definition(
        "new_scrap_recycling_rate",
        _new_and_exported,
        _new_generated,
        "new_scrap, or scrap from collection, sorting, recycling or scrap trade, to makers",
        "new_scrap flows from manufacturing or fabrication",
        "new scrap recycled or exported / generated",
        "Ruhrberg 2006",
    ),
)

COLUMNS = {
    "indicator": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "numerator": "float64",
    "denominator": "float64",
    "flows": "str",
    "assumptions": "str",
    "assumed": "float64",
    "missing": "str",
    "by_construction": "bool",
    "scope": "str",
    "source": "str",
}


def indicators(balance: Balance) -> pd.DataFrame:
    """Return every recycling indicator for every substance and year.

    Where a system has several regions, the whole comes first, with a blank ``region``, then each
    region apart, as `mfa.region` sees it.

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    DataFrame
        indicator, substance, year; value and sd (as shares of 1), or where the flows leave it
        open only low and high, which are all that balances and bounds allow; numerator and
        denominator [unit of the system]; the flows counted; assumptions that it rests on and what
        share of its variance they explain; what is missing to form it; whether its value follows
        from the flows drawn whatever the data say; scope and source. With several regions a column
        ``region`` after the first seven.
    """
    whole = whole_indicators(balance)
    if len(balance.system.regions) < 2:
        return whole
    apart = {name: whole_indicators(part) for name, part in balance.regions.items()}
    parts = [table.assign(region=name) for name, table in {"": whole, **apart}.items()]
    table = pd.concat(parts, ignore_index=True)
    table.insert(list(COLUMNS).index("high") + 1, "region", table.pop("region"))
    return table


@remembered
def whole_indicators(balance: Balance) -> pd.DataFrame:
    """Return the indicators of what is looked at as a whole."""
    rows = []
    for (substance, year), place in sorted(places(balance).items(), key=lambda item: item[0]):
        if substance not in balance.system.substances:
            continue
        rows += [_row(definition, substance, year, place) for definition in DEFINITIONS]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def missing(definition: Definition, place: Place) -> str:
    """Return which role from which stage is missing to form an indicator, "" if none is."""
    parts = (
        (definition.above(place.sets), definition.above_is),
        (definition.below(place.sets), definition.below_is),
    )
    lacking = [words for terms, words in parts if not any(term.flows.any() for term in terms)]
    return "; ".join(dict.fromkeys(lacking))


def _row(definition: Definition, substance: str, year: int, place: Place) -> dict[str, object]:
    about = {
        "indicator": definition.indicator,
        "substance": substance,
        "year": year,
        "scope": definition.scope,
        "source": definition.source,
    }
    lacking = missing(definition, place)
    if lacking:
        blank = dict.fromkeys(COLUMNS, np.nan) | {"flows": "", "assumptions": ""}
        return blank | about | {"missing": lacking, "by_construction": False}
    above, below = definition.above(place.sets), definition.below(place.sets)
    result = evaluate(above, below, place)
    names, share = _assumptions(result, place)
    variables = place.balance.model.variables
    step = float(variables["step"].to_numpy(dtype=float)[place.number[place.there][0]])
    counted = np.any([term.flows for term in (*above, *below)], axis=0)
    return about | {
        "value": result.value,
        "sd": result.sd,
        "low": result.low if np.isfinite(result.low) else np.nan,
        "high": result.high if np.isfinite(result.high) else np.nan,
        "numerator": result.numerator / step,
        "denominator": result.denominator / step,
        "flows": ", ".join(place.balance.system.flows["flow"][counted]),
        "assumptions": names,
        "assumed": share,
        "missing": "",
        "by_construction": _by_construction(result, above, below, place),
    }


def _by_construction(result: Result, above: list[Term], below: list[Term], place: Place) -> bool:
    """Return whether balances and flows ≥ 0 alone give the indicator its value."""
    if not result.sd < _CERTAIN:
        return False
    drawing = drawing_only(place)
    least = evaluate(above, below, drawing)
    return bool(np.isfinite(least.value))


def _assumptions(result: Result, place: Place) -> tuple[str, float]:
    """Return the assumptions with at least 1 % of the variance, largest first, and their share."""
    balance = place.balance
    data = balance.bounded.estimate.structure.data
    assumption = balance.is_assumption[data]
    share = np.where(assumption, result.influence, 0.0)
    order = np.argsort(-share, kind="stable")
    items = balance.model.variables["item"].to_numpy(dtype=object)
    named = [str(items[data[k]]) for k in order if share[k] > _WORTH_NAMING]
    total = float(share.sum()) if np.isfinite(result.value) else float("nan")
    return ", ".join(dict.fromkeys(named)), total
