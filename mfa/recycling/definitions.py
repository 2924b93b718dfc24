"""The indicators of recycling: rates over roles and stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mfa.recycling.origin import new_scrap, old_scrap, scrap
from mfa.recycling.place import Place, Term


@dataclass(frozen=True, slots=True)
class Definition:
    """An indicator: what is counted above and below, in which scope, after which source.

    Attributes
    ----------
    indicator : str
        Its id.
    above, below : callable
        Return the terms of the numerator and the denominator; nothing below stands for 1.
    above_is, below_is : str
        What each must contain to be formed at all, in words for the user.
    scope, source : str
    item : str
        What it is formed for, where there are several: a role, a process, a flow.
    unit : str
        "1", "d", or "" for the unit of the system.
    span : tuple of float
        What an interval around the value is cut to, unless the value is beyond.
    others : tuple of callable
        Further numerators, as possible as the first.
    whole : bool
        Whether each term below must be there, not one of them: what arises in two places is not
        known from one.
    """

    indicator: str
    above: Callable[[Place], list[Term]]
    below: Callable[[Place], list[Term]]
    above_is: str
    below_is: str
    scope: str
    source: str
    item: str = ""
    unit: str = "1"
    span: tuple[float, float] = (0.0, 1.0)
    others: tuple[Callable[[Place], list[Term]], ...] = ()
    whole: bool = False

    @property
    def key(self) -> str:
        """Id and item in one."""
        return f"{self.indicator}:{self.item}" if self.item else self.indicator


def _generated(place: Place) -> list[Term]:
    """E: what leaves use at its end of life."""
    sets = place.sets
    return [Term(sets.flows(("end_of_life",), sets.use))]


def _collected(place: Place) -> list[Term]:
    """col: old scrap that leaves use and collection for somewhere else than disposal."""
    sets = place.sets
    outside = ~sets.collection & ~sets.disposal
    return [Term(sets.flows(("old_scrap",), sets.use | sets.collection, outside))]


def _new_generated(place: Place) -> list[Term]:
    sets = place.sets
    return [Term(sets.flows(("new_scrap",), sets.makers))]


def all_recycled(place: Place) -> list[Term]:
    """rec: the system's own old and new scrap, and scrap from the market or abroad, to makers."""
    sets = place.sets
    own = sets.flows(("old_scrap", "new_scrap"), sets.lane | sets.makers | sets.use, sets.makers)
    mixed = sets.flows(("scrap",), sets.lane | sets.imports, sets.makers)
    return [Term(own | mixed)]


def _primary(place: Place) -> list[Term]:
    """prim: primary metal that enters smelting and refining from outside of it."""
    sets = place.sets
    source = (sets.imports | sets.kind("source") | sets.makers) & ~sets.smelting
    return [Term(sets.flows(("primary",), source, sets.smelting))]


def produced(place: Place) -> list[Term]:
    """prod: refined metal from smelting and refining, counted where it leaves them."""
    sets = place.sets
    return [Term(sets.flows(("refined",), sets.smelting, ~sets.smelting))]


def _produced_from_scrap(place: Place) -> list[Term]:
    sets = place.sets
    return [Term(sets.flows(("refined",), sets.smelting, ~sets.smelting), scrap(sets))]


def _recycled(place: Place, role: str, exported: bool = False) -> list[Term]:
    """rec_k, or rec_k + exp_k: flows of one kind of scrap, and its share of mixed ones."""
    sets = place.sets
    own = sets.flows((role,), sets.lane | sets.makers | sets.use, sets.makers)
    mixed = sets.flows(("scrap",), sets.lane, sets.makers)
    if exported:
        own = own | sets.flows((role,), target=sets.exports)
        mixed = mixed | sets.flows(("scrap",), sets.lane, sets.exports)
    return [Term(own), Term(mixed, old_scrap(sets) if role == "old_scrap" else new_scrap(sets))]


def _old(place: Place) -> list[Term]:
    return _recycled(place, "old_scrap")


def _new(place: Place) -> list[Term]:
    return _recycled(place, "new_scrap")


def _old_and_exported(place: Place) -> list[Term]:
    return _recycled(place, "old_scrap", exported=True)


def _new_and_exported(place: Place) -> list[Term]:
    return _recycled(place, "new_scrap", exported=True)


_E = "end_of_life flows from a process of stage use"
_COL = "old_scrap flows from a process of stage use or collection"
_REC_OLD = "old_scrap, or scrap from collection, sorting, recycling or scrap trade, to makers"
_UNEP = "UNEP 2011, Recycling Rates of Metals"

RATES = (
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
        all_recycled,
        lambda place: _primary(place) + all_recycled(place),
        "scrap flows to makers",
        "primary flows into smelting and refining, or scrap flows to makers",
        "old, new and imported scrap / all metal input",
        "ICSG; Glöser et al. 2013",
    ),
    Definition(
        "recycling_input_rate_old",
        _old,
        lambda place: _primary(place) + all_recycled(place),
        _REC_OLD,
        "primary flows into smelting and refining, or scrap flows to makers",
        "domestic old scrap only / all metal input",
        "Eurostat, end-of-life recycling input rate",
    ),
    Definition(
        "recycled_share_refined",
        _produced_from_scrap,
        produced,
        "refined flows from smelting or refining",
        "refined flows from smelting or refining",
        "refined metal that stems from scrap of any kind / refined production",
        "ICSG",
    ),
    Definition(
        "old_scrap_ratio",
        _old,
        lambda place: _old(place) + _new(place),
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
    Definition(
        "recycling_efficiency",
        lambda place: _old_and_exported(place) + _new_and_exported(place),
        lambda place: _generated(place) + _new_generated(place),
        "old or new scrap, or scrap from collection, sorting, recycling or scrap trade, to makers",
        "end_of_life flows from use and new_scrap flows from manufacturing or fabrication",
        "old and new scrap recycled or exported / generated",
        "Ruhrberg 2006",
        whole=True,
    ),
)
