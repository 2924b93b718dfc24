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


def to_json(diagrams: tuple[Diagram, ...], drawings: tuple[Drawing, ...]) -> str:
    """Return charts as JSON: ``{format, unit, scale, width, height, frames}``.

    Parameters
    ----------
    diagrams : tuple of Diagram
        What the charts show.
    drawings : tuple of Drawing
        Their geometry, in the same order.

    Returns
    -------
    str
        Each frame has ``label`` (its year), ``data`` (the fields of `Diagram`: nodes, and links
        with their parts, quantities and sources) and ``shapes`` in the order of painting: each
        has ``kind`` (ribbon, shape, box, line, label) and the fields of that class in
        `mfa.sankey.geometry`; ``link`` and ``node`` refer to ids in the data. An outline is a
        list of commands as in SVG paths, such as ``["M", x, y]``. Lengths are px, ``scale`` is px
        per unit of flow. An unknown number is null; an undetermined one is a range.
    """
    frames = []
    for diagram, drawing in zip(diagrams, drawings, strict=True):
        frames.append(
            {
                "label": diagram.label,
                "data": dataclasses.asdict(diagram),
                "shapes": [_primitive(item) for item in drawing.primitives],
            }
        )
    first = drawings[0]
    whole = {
        "format": FORMAT,
        "unit": diagrams[0].unit,
        "scale": first.scale,
        "width": first.width,
        "height": first.height,
        "frames": frames,
    }
    # Lone surrogates, which UTF-8 cannot hold, become escapes.
    text = json.dumps(whole, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"
