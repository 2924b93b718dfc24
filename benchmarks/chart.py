"""How long charts take: ``python benchmarks/run.py chart``.

Every figure is the median of several runs in one process, after one to warm up, in seconds of
processor time, which other work on the machine does not change.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measure import Measured, Row

from mfa.sankey.chart import KINDS, Chart
from mfa.sankey.diagram import Diagram, Link, Node, Quantity
from mfa.sankey.layout import layout
from mfa.schema import STAGES

RUNS = 5


def make(nodes: int, links: int, seed: int = 0) -> Diagram:
    """Return a random cycle: flows mostly to later stages, a fifth of them back."""
    rng = np.random.default_rng(seed)
    stage = np.sort(rng.integers(0, len(STAGES) - 2, nodes))
    boxes = tuple(Node(f"P{k}", f"Process {k}", STAGES[stage[k]]) for k in range(nodes))
    ribbons = []
    for k in range(links):
        a, b = sorted(int(end) for end in rng.choice(nodes, 2, replace=False))
        size = float(rng.lognormal(3.0, 1.0))
        back = rng.random() < 0.2
        ends = (f"P{b}", f"P{a}") if back else (f"P{a}", f"P{b}")
        lane = "scrap" if back else "main"
        ribbons.append(Link(f"F{k}", *ends, lane, f"flow {k}", Quantity(size, 0.1 * size), ()))
    return Diagram(f"{nodes} processes", "", "kt/yr", boxes, tuple(ribbons))


def seconds(work: Callable[[], object]) -> float:
    """Return the median of the processor time of some work [s]."""
    work()
    found = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return statistics.median(found)


def charts() -> list[tuple[str, float]]:
    """Return what was measured, each with its seconds."""
    rows = []
    for nodes, links in ((15, 20), (200, 600)):
        diagram = make(nodes, links)
        rows.append((f"layout, {nodes} × {links}", seconds(lambda d=diagram: layout(d))))
    small = make(15, 20)
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            path = Path(folder, f"chart{kind}")
            work = seconds(lambda p=path: Chart((small,)).save(p))
            rows.append((f"{kind}, 15 × 20, layout included", work))
    return rows


def rows(folder: Path) -> list[Row]:  # noqa: ARG001 the same call for every theme
    """Return the rows of the theme."""
    return [Row(work, Measured(seconds=taken)) for work, taken in charts()]
