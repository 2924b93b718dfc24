"""Charts as JSON, for programs: what is shown, and where everything stands."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from mfa.sankey.diagram import Diagram
from mfa.sankey.geometry import Drawing, Primitive

FORMAT = "mfa-chart-1"


def _primitive(item: Primitive) -> dict[str, Any]:
    fields = dataclasses.asdict(item)
    if "outline" in fields:
        fields["outline"] = [[op, *values] for op, values in fields["outline"]]
    return {"kind": type(item).__name__.lower()} | fields


def _chart(diagram: Diagram, drawing: Drawing) -> dict[str, Any]:
    shapes = [_primitive(item) for item in drawing.primitives]
    return dataclasses.asdict(diagram) | {"scale": drawing.scale, "shapes": shapes}


def to_json(diagrams: tuple[Diagram, ...], drawings: tuple[Drawing, ...]) -> str:
    """Return charts as JSON.

    Parameters
    ----------
    diagrams : tuple of Diagram
        What the charts show.
    drawings : tuple of Drawing
        Their geometry, in the same order.

    Returns
    -------
    str
        ``format``, ``width`` and ``height``, and the chart: the fields of `Diagram` (``nodes``,
        and ``links`` with their parts, quantities and sources), its ``scale``, and its ``shapes``
        in the order of painting. A shape has ``kind`` (ribbon, shape, box, line, label) and the
        fields of that class in `mfa.sankey.geometry`; ``link`` and ``node`` refer to ids. An
        outline is a list of commands as in SVG paths, such as ``["M", x, y]``. Lengths are px,
        the scale is px per unit of flow. An unknown number is null. Of several charts the last
        stands there, and all are in ``frames``.
    """
    charts = [_chart(*pair) for pair in zip(diagrams, drawings, strict=True)]
    canvas = drawings[-1]
    whole = {"format": FORMAT, "width": canvas.width, "height": canvas.height} | charts[-1]
    if len(charts) > 1:
        whole["frames"] = charts
    # Lone surrogates, which UTF-8 cannot hold, become escapes.
    text = json.dumps(whole, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"
