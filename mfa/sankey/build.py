"""From a Balance to what a chart of it shows."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np

from mfa import __version__
from mfa.balance import Balance
from mfa.balance.network import Ints, Mask
from mfa.errors import ChartError
from mfa.recycling.totals import total
from mfa.sankey.before import observed_sum
from mfa.sankey.colours import Colour, check_colour, legend
from mfa.sankey.diagram import (
    Diagram,
    DiagramStyle,
    Lane,
    Link,
    Node,
    Part,
    Quantity,
    StockBox,
)
from mfa.sankey.quantities import Row, bundle_of, evidence_of, quantity_of
from mfa.sankey.scene import Lang, Scene, make_scene
from mfa.sankey.words import TEXT
from mfa.schema import SCRAP_ROLES, STAGES

_STRIKING = 1.96


def build_diagram(
    balance: Balance,
    year: int | None = None,
    substance: str | None = None,
    lang: Lang = "en",
    *,
    style: DiagramStyle = "cycle",
    colour: Colour = "role",
    observed: bool = False,
) -> Diagram:
    """Return what a chart of a balance shows in one year.

    Processes of a group become one box; flows between the same two boxes become one link. Flows
    that cross the system boundary have one open end.

    Parameters
    ----------
    balance : Balance
    year : int, optional
        By default the last year.
    substance : str, optional
        By default the first substance.
    lang : {"en", "ja"}
        Language of names and words.
    style : {"cycle", "circulation"}
        See `Diagram`.
    colour : {"role", "substance", "origin", "adjustment"}
        What the colours tell.
    observed : bool
        Whether to show the data instead of the results.

    Raises
    ------
    MFAError
        If the system has no such year or substance.
    """
    check_colour(colour)
    if style not in get_args(DiagramStyle):
        raise ChartError(f"there is no chart style {style!r}; use cycle or circulation")
    scene = make_scene(balance, year, substance, lang, colour, observed, style == "circulation")
    text = TEXT[lang]
    settings = balance.system.settings
    title = settings.title_ja if lang == "ja" and settings.title_ja else settings.title
    unit = settings.unit.name.replace("/yr", text["per_year"])
    source = balance.system.source
    notes = []
    if balance.dof and balance.p_value < 0.05:
        notes.append(
            text["contradiction"].format(
                chi2=balance.chi2, dof=balance.dof, p=f"{balance.p_value:.2g}"
            )
        )
    return Diagram(
        title=title or (source.name if source else "Material flows"),
        subtitle=text["subtitle"].format(
            substance=text.get(scene.substance, scene.substance), unit=unit, year=scene.year
        ),
        unit=unit,
        nodes=_nodes(scene),
        links=_links(scene),
        source=text["made"].format(file=source.name if source else "—", version=__version__),
        notes=tuple(notes),
        lang=lang,
        label=str(scene.year),
        tones=legend(colour, balance, lang),
        style=style,
    )


def _nodes(scene: Scene) -> tuple[Node, ...]:
    """Return a box for every balanced process or group that a flow touches."""
    sets = scene.sets
    touched = np.union1d(sets.tail[scene.place.there], sets.head[scene.place.there])
    members: dict[str, list[int]] = {}
    for process in touched.tolist():
        if scene.groups[process]:
            members.setdefault(scene.groups[process], []).append(process)
    return tuple(_node(scene, name, some) for name, some in sorted(members.items()))


def _node(scene: Scene, name: str, members: list[int]) -> Node:
    rows = sorted((scene.processes[k] for k in members), key=lambda row: str(row["process"]))
    first = rows[0]
    label = scene.group_name(first["group"]) if first["group"] else scene.name(first)
    where = {scene.home[member] for member in members}
    if len(scene.balance.system.regions) > 1 and len(where) == 1:
        label = scene.with_region(label, where.pop())
    ids = [str(row["process"]) for row in rows]
    balances = [row for process in ids for row in scene.balances.get(process, ())]
    tested = [row for row in balances if not math.isnan(row["residual_z"])]
    share = None
    if tested:
        worst = max(tested, key=lambda row: abs(row["residual_z"]))
        share = float(worst["residual_before"] / max(worst["throughput"], 1e-300))
    stages = [str(row["stage"]) for row in rows]
    return Node(
        id=name,
        label=label,
        stage=min(stages, key=lambda stage: STAGES.index(stage) if stage else len(STAGES)),
        column=_wish(rows, "column"),
        row=_wish(rows, "row"),
        stock=_stock(scene, ids),
        imbalance=share,
        flagged=any(abs(row["residual_z"]) > _STRIKING for row in tested),
        bottleneck=scene.bottleneck in ids,
        throughput=_throughput(scene, members) if scene.circulation else None,
    )


def _wish(rows: list[Row], column: str) -> int | None:
    """Return the first of the columns, or rows, that the user wished for a box."""
    return min((int(row[column]) for row in rows if not math.isnan(row[column])), default=None)


def _stock(scene: Scene, processes: list[str]) -> StockBox | None:
    """Return the stock of a box, if exactly one of its processes has one."""
    having = [scene.stocks[process] for process in processes if process in scene.stocks]
    if len(having) != 1:
        return None
    text = TEXT[scene.lang]
    parts = {
        str(row["quantity"]): Part(
            str(row["process"]), text[row["quantity"]], quantity_of(row), evidence_of(row)
        )
        for row in having[0]
    }
    level, change = (parts[k].quantity if k in parts else None for k in ("level", "change"))
    return StockBox(level, change, tuple(parts.values()))


def _links(scene: Scene) -> tuple[Link, ...]:
    """Return a link for every bundle of flows."""
    bundles: dict[tuple[str, str, Lane, str], list[int]] = {}
    for flow in np.flatnonzero(scene.place.there).tolist():
        key = _bundle(scene, flow)
        if key is not None:
            bundles.setdefault(key, []).append(flow)
    suspects = scene.balance.suspects
    doubtful = scene.balance.dof > 0 and scene.balance.p_value < 0.05
    striking = suspects[
        (suspects["kind"] == "datum")
        & (suspects["z"].abs() > _STRIKING)
        & (suspects["year"] == scene.year)
        & (suspects["substance"] == scene.substance)
    ]
    flagged = set(striking["item"]) if doubtful else set()
    return tuple(
        _link(scene, key, np.array(flows), flagged) for key, flows in sorted(bundles.items())
    )


def _bundle(scene: Scene, flow: int) -> tuple[str, str, Lane, str] | None:
    """Return boxes, lane and partner outside of a flow; None for one inside a group."""
    sets = scene.sets
    tail, head = int(sets.tail[flow]), int(sets.head[flow])
    source, target = scene.groups[tail], scene.groups[head]
    outside = ""
    if not (source and target):
        row = scene.processes[tail if not source else head]
        outside = str(row["group"] or row["process"])
    return None if not (source or target) else _with_lane(scene, flow, source, target, outside)


def _with_lane(
    scene: Scene, flow: int, source: str, target: str, outside: str
) -> tuple[str, str, Lane, str] | None:
    sets = scene.sets
    lane: Lane = "main"
    if sets.role("discrepancy")[flow]:
        lane = "discrepancy"
    elif not source:
        lane = "import"
    elif not target:
        lane = "loss" if sets.disposal[sets.head[flow]] else "export"
    elif source == target:
        if sets.tail[flow] != sets.head[flow]:
            return None
        lane = "self"
    elif sets.role("new_scrap", "old_scrap", "scrap")[flow]:
        makes = sets.makers[sets.tail[flow]] or sets.makers[sets.head[flow]]
        lane = "scrap" if makes else "main"
    return source, target, lane, outside


def _link(scene: Scene, key: tuple[str, str, Lane, str], flows: Ints, flagged: set[str]) -> Link:
    source, target, lane, outside = key
    rows = [scene.flows[flow] for flow in flows.tolist()]
    parts = [
        Part(str(row["flow"]), scene.name(row), quantity_of(row), evidence_of(row)) for row in rows
    ]
    parts.sort(key=lambda part: (-(part.quantity.value or 0.0), part.flow))
    mask = np.zeros(len(scene.flows), dtype=bool)
    mask[flows] = True
    together = parts[0].quantity if len(parts) == 1 else _sum(scene, mask, rows)
    tails = [scene.processes[tail]["process"] for tail in scene.sets.tail[flows].tolist()]
    return Link(
        id="|".join(part for part in (source, target, lane, outside) if part),
        source=source or None,
        target=target or None,
        lane=lane,
        label=_label(scene, outside, flows, parts),
        quantity=together,
        parts=tuple(parts),
        flagged=not flagged.isdisjoint(row["flow"] for row in rows),
        bottleneck=lane == "loss" and scene.bottleneck in tails,
        is_scrap=bool(scene.sets.role(*SCRAP_ROLES)[flows].all()),
        tones=scene.paint(flows),
    )


def _sum(scene: Scene, flows: Mask, rows: list[Row]) -> Quantity:
    """Return the sum of some flows of a scene, whose rows are given, too."""
    if scene.observed:
        return observed_sum(rows)
    return bundle_of(total(flows, scene.place), rows)


def _throughput(scene: Scene, members: list[int]) -> Quantity | None:
    """Return all that enters some processes from others, or leaves them if nothing enters."""
    sets = scene.sets
    comes, goes = np.isin(sets.head, members), np.isin(sets.tail, members)
    for flows in (comes & ~goes, goes & ~comes):
        flows = flows & scene.place.there & sets.counted
        if flows.any():
            return _sum(scene, flows, [scene.flows[k] for k in np.flatnonzero(flows).tolist()])
    return None


def _label(scene: Scene, outside: str, flows: Ints, parts: list[Part]) -> str:
    """Return the name of a single flow, or of what many flows share outside the boundary."""
    if len(parts) == 1:
        label = parts[0].label or (parts[0].flow if outside else "")
        return scene.with_region(label, _abroad(scene, int(flows[0]))) if outside else label
    if not outside:
        return ""
    if any(row["group"] == outside for row in scene.processes):
        return scene.group_name(outside)
    return scene.name(next(row for row in scene.processes if row["process"] == outside))


def _abroad(scene: Scene, flow: int) -> str:
    """Return the region at the outer end of a flow, "" if it is that of the inner one."""
    inner, outer = int(scene.sets.tail[flow]), int(scene.sets.head[flow])
    if not scene.groups[inner]:
        inner, outer = outer, inner
    return scene.home[outer] if scene.home[outer] != scene.home[inner] else ""
