"""Which column each process stands in.

The user's columns come first, then the order of the stages, then the longest path along the main
flows. Where flows go in circles the lightest links point backwards (a minimum-mass feedback arc
set, built greedily: links are admitted from the heaviest down as long as they close no circle).
"""

from __future__ import annotations

from mfa.sankey.diagram import Diagram, Node
from mfa.sankey.strands import Strand
from mfa.schema import STAGES

_ORDER = {stage: place for place, stage in enumerate(STAGES) if stage != "trade"}
_Edge = tuple[int, int]  # target, columns between


class _Precedence:
    """An acyclic graph of "stands left of", over nodes and, behind them, one bar per stage."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.stages: list[int | None] = [_ORDER.get(node.stage) for node in nodes]
        present = sorted({stage for stage in self.stages if stage is not None})
        self.after: list[list[_Edge]] = [[] for _ in range(len(nodes) + len(present))]
        # The bar of a stage stands right of all its nodes and not right of any later stage.
        for place, stage in enumerate(present):
            bar = len(nodes) + place
            for node, own in enumerate(self.stages):
                if own == stage:
                    self.after[node].append((bar, 1))
                elif place + 1 < len(present) and own == present[place + 1]:
                    self.after[bar].append((node, 0))

    def reaches(self, start: int, goal: int) -> bool:
        """Whether ``goal`` already stands right of ``start``."""
        seen, stack = {start}, [start]
        while stack:
            item = stack.pop()
            if item == goal:
                return True
            for follower, _ in self.after[item]:
                if follower not in seen:
                    seen.add(follower)
                    stack.append(follower)
        return False

    def admit(self, left: int, right: int) -> bool:
        """Put ``left`` before ``right`` unless that closes a circle."""
        if (right, 1) in self.after[left]:
            return True
        if left == right or self.reaches(right, left):
            return False
        self.after[left].append((right, 1))
        return True

    def sequence(self) -> list[int]:
        """Return all items, each after everything left of it."""
        waiting = [0] * len(self.after)
        for followers in self.after:
            for follower, _ in followers:
                waiting[follower] += 1
        ready = [item for item, count in enumerate(waiting) if count == 0]
        done: list[int] = []
        while ready:
            item = ready.pop(0)
            done.append(item)
            for follower, _ in self.after[item]:
                waiting[follower] -= 1
                if waiting[follower] == 0:
                    ready.append(follower)
        return done


def _admit_links(graph: _Precedence, strands: tuple[Strand, ...]) -> set[int]:
    """Admit links from the heaviest down; return the nodes that have one coming in."""
    entered: set[int] = set()
    inner = [s for s in strands if s.source is not None and s.target is not None]
    inner.sort(key=lambda s: (-s.weight, s.index))
    for strand in inner:
        a, b = strand.source, strand.target
        if a is None or b is None or strand.link.lane in ("scrap", "self"):
            continue
        if graph.admit(a, b):
            entered.add(b)
    # Scrap does not order the stages, but it is all that ties a scrap market to its suppliers.
    for from_known, to_known in ((True, False), (False, False), (False, True)):
        for strand in inner:
            a, b = strand.source, strand.target
            if a is None or b is None or strand.link.lane != "scrap":
                continue
            known = (graph.stages[a] is not None, graph.stages[b] is not None)
            if known == (from_known, to_known) and graph.admit(a, b):
                entered.add(b)
    return entered


def assign_columns(diagram: Diagram, strands: tuple[Strand, ...]) -> tuple[int, ...]:
    """Return the column of every node, counted from 0, with no column left empty.

    Parameters
    ----------
    diagram : Diagram
        The nodes, with the columns and stages that the user gave them.
    strands : tuple of Strand
        Its links, with their widths.

    Returns
    -------
    tuple of int, shape (n_node,)
    """
    graph = _Precedence(diagram.nodes)
    entered = _admit_links(graph, strands)
    sequence = graph.sequence()
    fixed = {i: node.column for i, node in enumerate(diagram.nodes) if node.column is not None}
    column = [fixed.get(item, 0) for item in range(len(graph.after))]
    for item in sequence:
        for follower, step in graph.after[item]:
            if follower not in fixed:
                column[follower] = max(column[follower], column[item] + step)
    for item in reversed(sequence):
        # What nothing flows into stands next to what it feeds.
        if item not in fixed and item not in entered and item < len(diagram.nodes):
            nearest = [column[follower] - step for follower, step in graph.after[item]]
            column[item] = max([column[item], *([min(nearest)] if nearest else [])])
    used = sorted(set(column[: len(diagram.nodes)]))
    return tuple(used.index(column[node]) for node in range(len(diagram.nodes)))
