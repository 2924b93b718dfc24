"""From a Balance to what a chart of it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from mfa import __version__
from mfa.balance import Balance
from mfa.balance.network import Ints, Mask
from mfa.errors import ChartError, MFAError, near
from mfa.recycling import bottlenecks
from mfa.recycling.place import Place, places
from mfa.recycling.sets import Sets
from mfa.recycling.totals import total
from mfa.sankey.before import as_observed, observed_sum
from mfa.sankey.colours import Colour, Painter, check_colour, legend, painter
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
from mfa.sankey.quantities import bundle_of, evidence_of, quantity_of
from mfa.sankey.words import TEXT
from mfa.schema import SCRAP_ROLES, STAGES
from mfa.system.regions import home_regions, japanese_names

Lang = Literal["en", "ja"]
_STRIKING = 1.96


@dataclass(frozen=True, eq=False)
class _Scene:
    """One substance and year of a balance, and how processes are grouped."""

    balance: Balance
    place: Place
    substance: str
    year: int
    lang: Lang
    flows: pd.DataFrame  # one row per flow in the order of ``system.flows``, nan where no row
    groups: list[str]  # node id of each process; "" outside the boundary
    home: list[str]  # region of each process
    bottleneck: str
    paint: Painter
    observed: bool
    circulation: bool

    @property
    def sets(self) -> Sets:
        return self.place.sets

    def name(self, row: pd.Series) -> str:
        """Return the name of a process or flow in the chart's language."""
        local = str(row["name_ja"]) if self.lang == "ja" else ""
        return local or str(row["name"])


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
    scene = _scene(balance, year, substance, lang, colour, observed, style == "circulation")
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


def _scene(
    balance: Balance,
    year: int | None,
    substance: str | None,
    lang: Lang,
    colour: Colour,
    observed: bool,
    circulation: bool,
) -> _Scene:
    system = balance.system
    substance = substance or system.substances[0]
    year = system.years[-1] if year is None else year
    if substance not in system.layers:
        advice = near(substance, system.layers, "it has " + ", ".join(system.layers))
        raise MFAError(f"the system has no substance {substance!r}; {advice}")
    place = _place(balance, substance, year)
    table = balance.flows
    here = table[(table["substance"] == substance) & (table["year"] == year)].set_index("flow")
    flows = system.flows.drop(columns=["from", "to"]).join(
        here.drop(columns=["role", "name", "name_ja"]), on="flow"
    )
    processes = system.processes
    inside = (processes["kind"] == "process").to_numpy()
    groups = np.where(processes["group"] != "", _group_ids(processes), processes["process"])
    losses = bottlenecks(balance)
    worst = losses[
        losses["bottleneck"] & (losses["substance"] == substance) & (losses["year"] == year)
    ]
    return _Scene(
        balance=balance,
        place=place,
        substance=substance,
        year=year,
        lang=lang,
        flows=as_observed(flows) if observed else flows,
        groups=np.where(inside, groups, "").tolist(),
        home=home_regions(processes, system.settings.region).tolist(),
        bottleneck=str(worst["item"].iat[0]) if len(worst) and not observed else "",
        paint=painter(colour, balance, place, substance, flows),
        observed=observed,
        circulation=circulation,
    )


def _place(balance: Balance, substance: str, year: int) -> Place:
    known = places(balance)
    if (substance, year) not in known:
        years = ", ".join(str(y) for name, y in sorted(known) if name == substance)
        advice = f"there are {years}" if years else f"add rows for {substance!r} to the flows"
        raise MFAError(f"no flow of {substance!r} has a row in {year}; {advice}")
    return known[substance, year]


def _group_ids(processes: pd.DataFrame) -> pd.Series:
    """Return box ids of groups, told apart from a process of the same name that stands alone."""
    alone = processes["process"][processes["group"] == ""]
    taken = processes["group"].isin(alone)
    return processes["group"].where(~taken, "group:" + processes["group"])


def _nodes(scene: _Scene) -> tuple[Node, ...]:
    """Return a box for every balanced process or group that a flow touches."""
    sets = scene.sets
    touched = np.union1d(sets.tail[scene.place.there], sets.head[scene.place.there])
    members: dict[str, list[int]] = {}
    for process in touched.tolist():
        if scene.groups[process]:
            members.setdefault(scene.groups[process], []).append(process)
    return tuple(_node(scene, name, some) for name, some in sorted(members.items()))


def _group_name(scene: _Scene, group: str) -> str:
    """Return the name of a group in the chart's language; any member may give the Japanese one."""
    rows = scene.balance.system.processes
    local = rows["group_ja"][(rows["group"] == group) & (rows["group_ja"] != "")]
    return str(local.min()) if scene.lang == "ja" and len(local) else group


def _node(scene: _Scene, name: str, members: list[int]) -> Node:
    rows = scene.balance.system.processes.iloc[members].sort_values("process")
    first = rows.iloc[0]
    label = _group_name(scene, first["group"]) if first["group"] else scene.name(first)
    where = {scene.home[member] for member in members}
    if len(scene.balance.system.regions) > 1 and len(where) == 1:
        label = _with_region(scene, label, where.pop())
    table = scene.balance.processes
    ids = rows["process"].tolist()
    here = table[
        table["process"].isin(ids)
        & (table["substance"] == scene.substance)
        & (table["year"] == scene.year)
    ]
    z = here["residual_z"].abs().to_numpy()
    known = np.flatnonzero(~np.isnan(z))
    share = None
    if len(known):
        worst = here.iloc[[known[np.argmax(z[known])]]]
        share = float(worst["residual_before"].iloc[0] / max(worst["throughput"].iloc[0], 1e-300))
    wish = rows[["column", "row"]].min()
    return Node(
        id=name,
        label=label,
        stage=min(rows["stage"], key=lambda stage: STAGES.index(stage) if stage else len(STAGES)),
        column=None if wish["column"] != wish["column"] else int(wish["column"]),
        row=None if wish["row"] != wish["row"] else int(wish["row"]),
        stock=_stock(scene, ids),
        imbalance=share,
        flagged=bool((z[known] > _STRIKING).any()),
        bottleneck=scene.bottleneck in ids,
        throughput=_throughput(scene, members) if scene.circulation else None,
    )


def _stock(scene: _Scene, processes: list[str]) -> StockBox | None:
    """Return the stock of a box, if exactly one of its processes has one."""
    table = scene.balance.stocks
    here = table[
        table["process"].isin(processes)
        & (table["substance"] == scene.substance)
        & (table["year"] == scene.year)
    ]
    if here["process"].nunique() != 1:
        return None
    text = TEXT[scene.lang]
    here = as_observed(here) if scene.observed else here
    parts = {
        kind: Part(str(row["process"]), text[kind], quantity_of(row), evidence_of(row))
        for kind, row in ((str(row["quantity"]), row) for _, row in here.iterrows())
    }
    level, change = (parts[k].quantity if k in parts else None for k in ("level", "change"))
    return StockBox(level, change, tuple(parts.values()))


def _links(scene: _Scene) -> tuple[Link, ...]:
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


def _bundle(scene: _Scene, flow: int) -> tuple[str, str, Lane, str] | None:
    """Return boxes, lane and partner outside of a flow; None for one inside a group."""
    sets, processes = scene.sets, scene.balance.system.processes
    tail, head = int(sets.tail[flow]), int(sets.head[flow])
    source, target = scene.groups[tail], scene.groups[head]
    outside = ""
    if not (source and target):
        row = processes.iloc[tail if not source else head]
        outside = str(row["group"] or row["process"])
    return None if not (source or target) else _with_lane(scene, flow, source, target, outside)


def _with_lane(
    scene: _Scene, flow: int, source: str, target: str, outside: str
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


def _link(scene: _Scene, key: tuple[str, str, Lane, str], flows: Ints, flagged: set[str]) -> Link:
    source, target, lane, outside = key
    rows = scene.flows.iloc[flows]
    parts = [
        Part(str(row["flow"]), scene.name(row), quantity_of(row), evidence_of(row))
        for _, row in rows.iterrows()
    ]
    parts.sort(key=lambda part: (-(part.quantity.value or 0.0), part.flow))
    mask = np.zeros(len(scene.flows), dtype=bool)
    mask[flows] = True
    together = parts[0].quantity if len(parts) == 1 else _sum(scene, mask, rows)
    worst = rows["flow"].tolist() if lane == "loss" else []
    from_worst = scene.bottleneck in _ids(scene, scene.sets.tail[flows])
    return Link(
        id="|".join(part for part in (source, target, lane, outside) if part),
        source=source or None,
        target=target or None,
        lane=lane,
        label=_label(scene, outside, flows, parts),
        quantity=together,
        parts=tuple(parts),
        flagged=not flagged.isdisjoint(rows["flow"]),
        bottleneck=bool(worst) and from_worst,
        is_scrap=bool(scene.sets.role(*SCRAP_ROLES)[flows].all()),
        tones=scene.paint(flows),
    )


def _ids(scene: _Scene, processes: Ints) -> list[str]:
    names = scene.balance.system.processes["process"]
    return [str(names.iat[p]) for p in processes.tolist()]


def _sum(scene: _Scene, flows: Mask, rows: pd.DataFrame) -> Quantity:
    """Return the sum of some flows of a scene, whose rows are given, too."""
    if scene.observed:
        return observed_sum(rows)
    return bundle_of(total(flows, scene.place), rows)


def _throughput(scene: _Scene, members: list[int]) -> Quantity | None:
    """Return all that enters some processes from others, or leaves them if nothing enters."""
    sets = scene.sets
    comes, goes = np.isin(sets.head, members), np.isin(sets.tail, members)
    for flows in (comes & ~goes, goes & ~comes):
        flows = flows & scene.place.there & sets.counted
        if flows.any():
            return _sum(scene, flows, scene.flows[flows])
    return None


def _label(scene: _Scene, outside: str, flows: Ints, parts: list[Part]) -> str:
    """Return the name of a single flow, or of what many flows share outside the boundary."""
    if len(parts) == 1:
        label = parts[0].label or (parts[0].flow if outside else "")
        return _with_region(scene, label, _abroad(scene, int(flows[0]))) if outside else label
    if not outside:
        return ""
    processes = scene.balance.system.processes
    if (processes["group"] == outside).any():
        return _group_name(scene, outside)
    return scene.name(processes[processes["process"] == outside].iloc[0])


def _abroad(scene: _Scene, flow: int) -> str:
    """Return the region at the outer end of a flow, "" if it is that of the inner one."""
    inner, outer = int(scene.sets.tail[flow]), int(scene.sets.head[flow])
    if not scene.groups[inner]:
        inner, outer = outer, inner
    return scene.home[outer] if scene.home[outer] != scene.home[inner] else ""


def _with_region(scene: _Scene, label: str, region: str) -> str:
    """Return a label with the region that it speaks of, in the chart's language."""
    local = japanese_names(scene.balance.system.processes) if scene.lang == "ja" else {}
    return f"{label} ({local.get(region, region)})" if region else label
