"""Random diagrams of every kind, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from mfa.sankey.diagram import Diagram, Lane, Link, Node, Part, Quantity, StockBox
from mfa.schema import STAGES

_NAMES = (
    "Smelter",
    "Refinery",
    "Wire & cable mill",
    "Fabrication of parts",
    "Use in buildings",
    "Elektroaltgeräteverwertung",
    "Sorting & shredding",
    "製錬",
    "使用済製品の回収・解体",
    "スクラップ市場",
    "",
)
_LANES = (
    "main",
    "main",
    "main",
    "main",
    "scrap",
    "import",
    "export",
    "loss",
    "discrepancy",
    "self",
)
_Generator = np.random.Generator


def _quantity(rng: _Generator) -> Quantity:
    size = float(rng.lognormal(3.0, 1.7))
    kind = int(rng.integers(12))
    if kind == 0:
        return Quantity(None, status="undetermined")
    if kind == 1:
        return Quantity(None, low=0.0, high=size, status="undetermined")
    if kind == 2:
        return Quantity(None, low=size, status="undetermined")
    if kind == 3:
        return Quantity(0.0, 0.0, status="measured")
    if kind == 4:
        return Quantity(-size, 0.4 * size)
    if kind == 5:
        return Quantity(size * 1e-6, assumed=True)
    return Quantity(size, float(rng.uniform(0.0, 0.9)) * size, assumed=kind == 6)


def _stock(rng: _Generator) -> StockBox | None:
    if rng.random() < 0.7:
        return None
    level = Quantity(float(rng.lognormal(7.0)), 31.0) if rng.random() < 0.7 else None
    change = Quantity(float(rng.normal(0.0, 40.0)), 3.0) if rng.random() < 0.5 else _quantity(rng)
    return StockBox(level, change)


def _node(rng: _Generator, index: int) -> Node:
    return Node(
        f"P{index}",
        f"{_NAMES[int(rng.integers(len(_NAMES)))]} {index}".strip(),
        str(rng.choice(STAGES)) if rng.random() < 0.6 else "",
        int(rng.integers(6)) if rng.random() < 0.15 else None,
        int(rng.integers(4)) if rng.random() < 0.2 else None,
        _stock(rng),
        float(rng.uniform(0.0, 0.3)) if rng.random() < 0.5 else None,
        bool(rng.random() < 0.1),
        bool(rng.random() < 0.05),
    )


def _link(rng: _Generator, index: int, count: int) -> Link:
    lane = cast("Lane", str(rng.choice(_LANES)))
    source, target = (f"P{int(place)}" for place in rng.integers(0, count, 2))
    quantity = _quantity(rng)
    parts = [Part(f"F{index}.{k}", f"part {k}", _quantity(rng)) for k in range(rng.integers(1, 4))]
    return Link(
        f"L{index}",
        None if lane == "import" else source,
        None if lane in ("export", "loss", "discrepancy") else source if lane == "self" else target,
        lane,
        f"{_NAMES[int(rng.integers(len(_NAMES)))].lower()} {index}" if rng.random() < 0.7 else "",
        quantity,
        tuple(parts),
        bool(rng.random() < 0.1),
        bool(rng.random() < 0.05),
    )


def make(seed: int, nodes: int | None = None, links: int | None = None) -> Diagram:
    """Return a diagram of up to 20 nodes, or of the size asked for."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 21)) if nodes is None else nodes
    number = int(rng.integers(0, 3 * count + 1)) if links is None else links
    return Diagram(
        f"Random cycle {seed}",
        "subtitle",
        "kt/yr",
        tuple(_node(rng, index) for index in range(count)),
        tuple(_link(rng, index, count) for index in range(number)),
        source="nowhere",
        notes=("The global test fails. " * int(rng.integers(0, 9)),),
        lang="ja" if rng.random() < 0.5 else "en",
    )


def as_lanes(diagram: Diagram) -> Diagram:
    """Return a diagram in the style of lanes, with numbers in its boxes."""
    rng = np.random.default_rng(len(diagram.links))
    nodes = tuple(replace(node, throughput=_quantity(rng)) for node in diagram.nodes)
    return replace(diagram, nodes=nodes, style="circulation")


def changed(diagram: Diagram, seed: int) -> Diagram:
    """Return the diagram of another year: other numbers, a node and some links fewer or more."""
    rng = np.random.default_rng(1000 + seed)
    links = [
        replace(link, quantity=_quantity(rng), flagged=bool(rng.random() < 0.1))
        for link in diagram.links
        if rng.random() < 0.8
    ]
    links += [_link(rng, 900 + k, len(diagram.nodes)) for k in range(3)]
    nodes = tuple(replace(node, stock=_stock(rng)) for node in diagram.nodes)
    return replace(diagram, nodes=nodes, links=tuple(links), label="next")
