"""How high each box stands: the heaviest chain runs straight, the rest follows its links."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise

from mfa.sankey.boxes import BoxPlan, Port
from mfa.sankey.grid import Grid, Segment
from mfa.sankey.strands import Strand
from mfa.sankey.style import ITEM_GAP

_SWEEPS = 12
_PINNED = 1e9  # weight of the chain against everything else
_Offsets = tuple[dict[Port, float], dict[Port, float]]


def heaviest_chain(grid: Grid, strands: tuple[Strand, ...]) -> tuple[int, ...]:
    """Return the segments (places in ``grid.segments``) of the heaviest path to the right."""
    leaving: list[list[int]] = [[] for _ in grid.column]
    for index, segment in enumerate(grid.segments):
        leaving[segment.left].append(index)
    weight = [0.0] * len(grid.column)
    onward: list[int | None] = [None] * len(grid.column)
    for items in reversed(grid.columns):
        for item in items:
            for index in leaving[item]:
                segment = grid.segments[index]
                strand = strands[segment.strand]
                # A long link counts once, at its first step.
                own = strand.weight if strand.source == item else 0.0
                total = own + weight[segment.right]
                if onward[item] is None or total > weight[item]:
                    weight[item], onward[item] = total, index
    chain: list[int] = []
    here = max(range(len(weight)), key=lambda item: (weight[item], -item), default=0)
    step = onward[here] if onward else None
    while step is not None:
        chain.append(step)
        step = onward[grid.segments[step].right]
    return tuple(chain)


def _pinned(grid: Grid, chain: tuple[int, ...], offsets: _Offsets) -> dict[int, float]:
    """Return the heights at which the chain's items must stand for it to run straight."""
    left, right = offsets
    pinned: dict[int, float] = {}
    for index in chain:
        segment = grid.segments[index]
        line = pinned.setdefault(segment.left, 0.0) + right[segment.left, segment.strand]
        pinned[segment.right] = line - left[segment.right, segment.strand]
    return pinned


def _spread(wishes: list[float], weights: list[float], least: list[float]) -> list[float]:
    """Return the heights nearest to the wishes at which no two items of a column overlap.

    Minimises Σ w (y − wish)² with y[i+1] − y[i] ≥ least[i]: with the least distances taken off,
    an isotonic regression, solved by pooling adjacent violators.
    """
    offsets = [0.0, *accumulate(least)]
    pools: list[list[float]] = []  # mean, weight, count
    for wish, weight, taken in zip(wishes, weights, offsets, strict=True):
        pools.append([wish - taken, weight, 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, weight, count = pools.pop()
            total = pools[-1][1] + weight
            pools[-1][0] = (pools[-1][0] * pools[-1][1] + mean * weight) / total
            pools[-1][1] = total
            pools[-1][2] += count
    means = [mean for mean, _, count in pools for _ in range(int(count))]
    return [mean + taken for mean, taken in zip(means, offsets, strict=True)]


class _Heights:
    """The heights while they settle."""

    def __init__(
        self,
        grid: Grid,
        plans: tuple[BoxPlan, ...],
        strands: tuple[Strand, ...],
        offsets: _Offsets,
    ) -> None:
        self.columns = grid.columns
        self.pinned = _pinned(grid, heaviest_chain(grid, strands), offsets)
        self.least = [
            [
                plans[a].height + plans[a].below + ITEM_GAP + plans[b].above
                for a, b in pairwise(items)
            ]
            for items in grid.columns
        ]
        # (neighbour, its port − own port, weight) for every link of every item
        self.pulls: list[list[tuple[int, float, float]]] = [[] for _ in grid.column]
        left, right = offsets
        for segment in grid.segments:
            weight = max(strands[segment.strand].full, 2.0)
            if strands[segment.strand].source != segment.left:
                weight *= 2.0  # a bend in a passage is worse than one at a box
            gap = right[segment.left, segment.strand] - left[segment.right, segment.strand]
            self.pulls[segment.right].append((segment.left, gap, weight))
            self.pulls[segment.left].append((segment.right, -gap, weight))
        self.pull = [sum(weight for *_, weight in pulls) for pulls in self.pulls]
        self.y = [0.0] * len(grid.column)
        for items in self.columns:
            self._start(items, plans)

    def _start(self, items: tuple[int, ...], plans: tuple[BoxPlan, ...]) -> None:
        top = 0.0
        for item in items:
            self.y[item] = top
            top += plans[item].height + ITEM_GAP

    def _wish(self, item: int) -> tuple[float, float]:
        if item in self.pinned:
            return self.pinned[item], _PINNED
        total = self.pull[item]
        if not total:
            return self.y[item], 0.01
        wish, y = 0.0, self.y
        for other, gap, weight in self.pulls[item]:
            wish += (y[other] + gap) * weight
        return wish / total, total

    def settle(self, items: tuple[int, ...], least: list[float]) -> float:
        """Move the items of one column to where their links pull them; return the longest move."""
        if len(items) == 1:
            wish = self._wish(items[0])[0]
            moved, self.y[items[0]] = abs(self.y[items[0]] - wish), wish
            return moved
        wishes = [self._wish(item) for item in items]
        heights = _spread([w for w, _ in wishes], [weight for _, weight in wishes], least)
        longest = max(abs(self.y[i] - h) for i, h in zip(items, heights, strict=True))
        for item, height in zip(items, heights, strict=True):
            self.y[item] = height
        return longest

    def room(self, item: int, place: int, column: int) -> tuple[float, float]:
        """Return between which heights an item can move while the others stay."""
        items, least = self.columns[column], self.least[column]
        low = self.y[items[place - 1]] + least[place - 1] if place else -math.inf
        high = math.inf
        if place + 1 < len(items):
            high = self.y[items[place + 1]] - least[place]
        return min(low, self.y[item]), max(high, self.y[item])


def _long_links(
    grid: Grid, strands: tuple[Strand, ...]
) -> list[tuple[Segment, list[int], Segment]]:
    """Return first segment, passages and last segment of every long link, the heaviest first."""
    segments: dict[int, list[Segment]] = {}
    for segment in grid.segments:
        segments.setdefault(segment.strand, []).append(segment)
    found = []
    for strand in sorted(segments, key=lambda index: (-strands[index].width, index)):
        own = sorted(segments[strand], key=lambda segment: grid.column[segment.left])
        if len(own) > 1:
            found.append((own[0], [segment.right for segment in own[:-1]], own[-1]))
    return found


def _straighten(
    heights: _Heights, grid: Grid, strands: tuple[Strand, ...], offsets: _Offsets
) -> None:
    """Lay the passages of every long link level, in as few steps as the boxes allow."""
    left, right = offsets
    # Twice, since a link may give way to one that came before it.
    for first, passages, last in 2 * _long_links(grid, strands):
        own = left[passages[0], first.strand]
        start = heights.y[first.left] + right[first.left, first.strand] - own
        end = heights.y[last.right] + left[last.right, last.strand] - own
        runs: list[tuple[list[int], float, float]] = []
        for item in passages:
            low, high = heights.room(item, grid.place[item], grid.column[item])
            if runs and max(runs[-1][1], low) <= min(runs[-1][2], high):
                items, below, above = runs[-1]
                runs[-1] = ([*items, item], max(below, low), min(above, high))
            else:
                runs.append(([item], low, high))
        level = start
        for place, (items, low, high) in enumerate(runs):
            # The last step leads to the port that the link enters, if that is within reach.
            aim = end if place == len(runs) - 1 and not low <= level <= high else level
            level = min(max(aim, low), high)
            for item in items:
                heights.y[item] = level


def place_heights(
    grid: Grid,
    plans: tuple[BoxPlan, ...],
    strands: tuple[Strand, ...],
    offsets: tuple[dict[Port, float], dict[Port, float]],
) -> list[float]:
    """Return the upper edge of every item, in px from an arbitrary level.

    Parameters
    ----------
    grid : Grid
        Items in their columns.
    plans : tuple of BoxPlan, shape (n_item,)
        Their sizes.
    strands : tuple of Strand
        The links.
    offsets : pair of dict
        Places of the ports at the left and at the right sides, see `boxes.port_offsets`.
    """
    heights = _Heights(grid, plans, strands, offsets)
    pairs = list(zip(grid.columns, heights.least, strict=True))
    for sweep in range(_SWEEPS):
        order = pairs if sweep % 2 == 0 else pairs[::-1]
        if max((heights.settle(items, least) for items, least in order), default=0.0) < 0.1:
            break
    _straighten(heights, grid, strands, offsets)
    return heights.y
