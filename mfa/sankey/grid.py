"""Who stands in which column above whom, and in which order the links meet each box.

Links to the next column run straight across; longer ones take a place of their own, called a
passage, in every column between; links that point backwards, and scrap that skips a column,
take a lane underneath.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfa.sankey.diagram import Diagram, Node
from mfa.sankey.strands import Strand

_SWEEPS = 4
# Crossings of less than this (px², product of the widths) do not outweigh the order given.
_NEGLIGIBLE = 150.0


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a link between two neighbouring columns, from one item to another."""

    strand: int
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A link that runs underneath.

    ``start`` and ``end`` are the gutters (gutter g lies left of column g) where it goes down
    and comes up again; ``columns`` are those that it passes under.
    """

    strand: int
    source: int
    target: int
    start: int
    end: int
    columns: tuple[int, ...]

    @property
    def rightward(self) -> bool:
        """Whether it runs with the main flow."""
        return self.end > self.start


@dataclass(frozen=True, slots=True)
class Grid:
    """Items (nodes first, then passages) in their columns, and what connects them.

    Parameters
    ----------
    columns : tuple of tuple of int
        Items of each column, top to bottom.
    column, place : tuple of int, shape (n_item,)
        Column of each item, and its place in it.
    segments : tuple of Segment
        Links between neighbouring columns, from left to right.
    lanes : tuple of Lane
        Links underneath, the innermost first.
    loops : tuple of int
        Strands that leave and enter the same node.
    left, right : tuple of tuple of int, shape (n_item,)
        Strands at each side of each item, top to bottom.
    """

    columns: tuple[tuple[int, ...], ...]
    column: tuple[int, ...]
    place: tuple[int, ...]
    segments: tuple[Segment, ...]
    lanes: tuple[Lane, ...]
    loops: tuple[int, ...]
    left: tuple[tuple[int, ...], ...]
    right: tuple[tuple[int, ...], ...]


class _Ordering:
    """The columns while they are being sorted."""

    def __init__(self, nodes: tuple[Node, ...], column: tuple[int, ...]) -> None:
        self.row = [node.row for node in nodes]
        self.column = list(column)
        self.columns: list[list[int]] = [[] for _ in range(max(column, default=-1) + 1)]
        for item, place in enumerate(column):
            self.columns[place].append(item)
        self.segments: list[Segment] = []
        self.weight: list[float] = []
        self.under: list[tuple[float, float]] = []
        self.mass: tuple[list[float], ...] = ([], [])
        self.neighbours: tuple[list[list[tuple[int, float]]], ...] = ([], [])
        self.place: list[int] = []

    def add_forward(self, strand: Strand, source: int, target: int) -> None:
        """Add a link that runs forward, with a passage in every column that it skips."""
        here = source
        for column in range(self.column[source] + 1, self.column[target]):
            passage = len(self.column)
            self.column.append(column)
            self.columns[column].append(passage)
            self.row.append(None)
            self.segments.append(Segment(strand.index, here, passage))
            here = passage
        self.segments.append(Segment(strand.index, here, target))

    def prepare(self, strands: tuple[Strand, ...], lanes: list[Lane]) -> None:
        """Collect the neighbours of every item, and what leaves it underneath."""
        count = len(self.column)
        self.neighbours = ([[] for _ in range(count)], [[] for _ in range(count)])
        for segment in self.segments:
            weight = max(strands[segment.strand].full, 2.0)
            self.neighbours[0][segment.right].append((segment.left, weight))
            self.neighbours[1][segment.left].append((segment.right, weight))
        self.mass = (
            [sum(weight for _, weight in near) for near in self.neighbours[0]],
            [sum(weight for _, weight in near) for near in self.neighbours[1]],
        )
        under = [[0.0, 0.0] for _ in range(count)]
        for lane in lanes:
            under[lane.target][0] += strands[lane.strand].full
            under[lane.source][1] += strands[lane.strand].full
        self.under = [(pair[0], pair[1]) for pair in under]
        self.place = [0] * count
        for items in self.columns:
            self._settle(items)

    def _settle(self, items: list[int]) -> None:
        rowed = [item for item in items if self.row[item] is not None]
        if rowed:
            ranked = iter(sorted(rowed, key=lambda item: self.row[item] or 0))
            for place, item in enumerate(items):
                items[place] = next(ranked) if self.row[item] is not None else item
        for place, item in enumerate(items):
            self.place[item] = place

    def _relative(self, item: int) -> float:
        return (self.place[item] + 0.5) / len(self.columns[self.column[item]])

    def sweep(self, side: int) -> None:
        """Sort each column by the weighted mean place of its neighbours on one side."""
        for items in self.columns if side == 0 else reversed(self.columns):
            if len(items) < 2:
                continue
            wish = {}
            for item in items:
                near = self.neighbours[side][item]
                pull = sum(self._relative(other) * weight for other, weight in near)
                wish[item] = pull / self.mass[side][item] if near else self._relative(item)
            items.sort(key=lambda item: (round(wish[item], 9), self.place[item]))
            self._settle(items)

    def _cost(self, upper: int, lower: int) -> float:
        """Return the crossings, in px², between two items if one stands above the other."""
        cost, place = 0.0, self.place
        for side in (0, 1):
            near = self.neighbours[side][lower]
            if not near:
                continue
            for mine, weight in self.neighbours[side][upper]:
                at = place[mine]
                for other, other_weight in near:
                    if at > place[other]:
                        cost += weight * other_weight
            cost += self.under[upper][side] * self.mass[side][lower]
        return cost

    def transpose(self) -> None:
        """Swap neighbours in a column as long as that saves crossings."""
        for _ in range(_SWEEPS):
            swapped = False
            for items in self.columns:
                for place in range(len(items) - 1):
                    upper, lower = items[place], items[place + 1]
                    rows = self.row[upper], self.row[lower]
                    if rows[0] is not None and rows[1] is not None:
                        continue
                    if self._cost(upper, lower) - self._cost(lower, upper) > _NEGLIGIBLE:
                        items[place], items[place + 1] = lower, upper
                        self.place[upper], self.place[lower] = place + 1, place
                        swapped = True
                self._settle(items)
            if not swapped:
                return

    def crossings(self) -> float:
        """Return all crossings between neighbouring columns, in px²."""
        total = 0.0
        for items in self.columns:
            ends = [
                (self.place[item], self.place[other], weight)
                for item in items
                for other, weight in self.neighbours[1][item]
            ]
            if len(ends) > 1:
                a, b, w = (np.array(values, dtype=float) for values in zip(*ends, strict=True))
                crossed = (a[:, None] < a[None, :]) & (b[:, None] > b[None, :])
                total += float((np.outer(w, w) * crossed).sum())
        return round(total, 3)


def _sort(ordering: _Ordering) -> None:
    """Leave the columns in the order with the fewest crossings found."""
    best = ordering.crossings(), [list(items) for items in ordering.columns]
    for _ in range(_SWEEPS):
        before = list(ordering.place)
        ordering.sweep(0)
        ordering.sweep(1)
        ordering.transpose()
        if ordering.place == before:
            break
        cost = ordering.crossings()
        if cost < best[0]:
            best = cost, [list(items) for items in ordering.columns]
        if not best[0]:
            break
    for items, kept in zip(ordering.columns, best[1], strict=True):
        items[:] = kept
        for place, item in enumerate(items):
            ordering.place[item] = place
    ordering.transpose()


def _lane(strand: Strand, source: int, target: int, column: tuple[int, ...]) -> Lane:
    first, last = column[source], column[target]
    between = range(first + 1, last) if last > first else range(last, first + 1)
    return Lane(strand.index, source, target, first + 1, last, tuple(between))


def _port_orders(
    ordering: _Ordering, lanes: list[Lane]
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Return the strands at the left and at the right of every item, top to bottom.

    Links across come first, in the order of the boxes that they lead to. Below them come the
    lanes, so that no two U-turns of a box cross: those that run rightwards with the innermost
    on top, then those that run leftwards with the innermost at the bottom.
    """
    count = len(ordering.column)
    across: tuple[list[list[tuple[int, int]]], ...] = (
        [[] for _ in range(count)],
        [[] for _ in range(count)],
    )
    for segment in ordering.segments:
        across[0][segment.right].append((ordering.place[segment.left], segment.strand))
        across[1][segment.left].append((ordering.place[segment.right], segment.strand))
    under: tuple[list[list[tuple[bool, int, int]]], ...] = (
        [[] for _ in range(count)],
        [[] for _ in range(count)],
    )
    for rank, lane in enumerate(lanes):
        key = (not lane.rightward, rank if lane.rightward else -rank, lane.strand)
        under[0][lane.target].append(key)
        under[1][lane.source].append(key)
    left, right = (
        [
            (
                *(strand for _, strand in sorted(across[side][item])),
                *(strand for *_, strand in sorted(under[side][item])),
            )
            for item in range(count)
        ]
        for side in (0, 1)
    )
    return left, right


def make_grid(diagram: Diagram, strands: tuple[Strand, ...], column: tuple[int, ...]) -> Grid:
    """Sort the boxes of every column, and find the way of every link between them.

    Parameters
    ----------
    diagram : Diagram
        The nodes, with the rows that the user gave them.
    strands : tuple of Strand
        Its links.
    column : tuple of int, shape (n_node,)
        Column of every node.
    """
    ordering = _Ordering(diagram.nodes, column)
    lanes, loops = [], []
    for strand in strands:
        a, b = strand.source, strand.target
        if a is None or b is None:
            continue
        if a == b:
            loops.append(strand.index)
        elif column[b] == column[a] + 1 or (column[b] > column[a] and strand.link.lane != "scrap"):
            ordering.add_forward(strand, a, b)
        else:
            lanes.append(_lane(strand, a, b, column))
    ordering.prepare(strands, lanes)
    _sort(ordering)
    place = ordering.place
    lanes.sort(key=lambda x: (len(x.columns), -place[x.target], -place[x.source], x.strand))
    left, right = _port_orders(ordering, lanes)
    return Grid(
        tuple(tuple(items) for items in ordering.columns),
        tuple(ordering.column),
        tuple(place),
        tuple(ordering.segments),
        tuple(lanes),
        tuple(loops),
        tuple(left),
        tuple(right),
    )
