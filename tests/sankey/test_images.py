"""The committed pictures of the shipped cases are what is drawn of them today.

Compared are the means of squares of a few pixels, which other smoothing of edges changes little,
and a ribbon elsewhere or a label too few changes much. Another release of matplotlib draws other
letters: pictures made by one are not compared.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mfa.balance import reconcile
from mfa.io import read_workbook
from mfa.sankey.build import build_diagram
from mfa.sankey.diagram import Diagram
from mfa.sankey.geometry import Drawing, Label, Ribbon, moved
from mfa.sankey.layout import layout
from mfa.sankey.picture import to_file

ROOT = Path(__file__).parents[2]
CASES = sorted(path.stem for path in (ROOT / "flows").glob("*.xlsx"))
SQUARE = 8.0  # px of the drawing
TOLERANCE = 0.06  # of the way from black to white, in any square and colour


@cache
def diagram(case: str) -> Diagram:
    return build_diagram(reconcile(read_workbook(ROOT / "flows" / f"{case}.xlsx")))


def squares(path: Path, drawing: Drawing) -> NDArray[np.float64]:
    """Return the mean colours of the squares of a picture, 0 to 1."""
    with Image.open(path) as picture:
        shape = picture.width / picture.height
        assert shape == pytest.approx(drawing.width / drawing.height, rel=2e-3), "another size"
        grid = round(drawing.width / SQUARE), round(drawing.height / SQUARE)
        small = picture.convert("RGB").resize(grid, Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64) / 255


def difference(picture: Path, drawing: Drawing, folder: Path) -> float:
    """Return the largest difference between a picture and a drawing in any square."""
    path = folder / "drawn.png"
    to_file(drawing, path)
    return float(np.abs(squares(path, drawing) - squares(picture, drawing)).max())


@pytest.mark.parametrize("case", CASES)
def test_pictures_are_current(case: str, tmp_path: Path) -> None:
    picture = ROOT / "reports" / case / "chart.png"
    with Image.open(picture) as shown:
        drawn_by = shown.info.get("Software", "")
    if matplotlib.__version__ not in drawn_by:
        pytest.skip(f"drawn by {drawn_by}, and this is {matplotlib.__version__}")
    assert difference(picture, layout(diagram(case)), tmp_path) < TOLERANCE, (
        f"{picture.relative_to(ROOT)} is not what is drawn today; "
        f"look at the difference, then run: mfa report flows/{case}.xlsx"
    )


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> tuple[Drawing, Path]:
    """A chart, and its picture as a report has it."""
    drawing = layout(diagram("rare-earth-magnets"))
    path = tmp_path_factory.mktemp("truth") / "chart.png"
    to_file(drawing, path)
    return drawing, path


def test_a_missing_label_is_noticed(truth: tuple[Drawing, Path], tmp_path: Path) -> None:
    drawing, picture = truth
    numbers = [item for item in drawing.primitives if isinstance(item, Label) and item.link]
    for gone in numbers[:4]:
        rest = tuple(item for item in drawing.primitives if item is not gone)
        assert difference(picture, replace(drawing, primitives=rest), tmp_path) > TOLERANCE


def test_a_ribbon_that_moved_is_noticed(truth: tuple[Drawing, Path], tmp_path: Path) -> None:
    drawing, picture = truth
    link = max((item for item in drawing.primitives if isinstance(item, Ribbon)), key=_area).link
    shifted = tuple(
        moved(item, 0.0, 3.0) if isinstance(item, Ribbon) and item.link == link else item
        for item in drawing.primitives
    )
    assert difference(picture, replace(drawing, primitives=shifted), tmp_path) > TOLERANCE


def _area(ribbon: Ribbon) -> float:
    return ribbon.width if ribbon.link and ribbon.style == "solid" else 0.0


def test_another_value_is_noticed(truth: tuple[Drawing, Path], tmp_path: Path) -> None:
    """A tenth more of one flow, at the scale and in the room of the picture."""
    drawing, picture = truth
    shown = replace(diagram("rare-earth-magnets"), scale=drawing.scale)
    changed = 0
    for place, link in enumerate(shown.links):
        if link.lane != "loss" or link.quantity.value is None:
            continue
        more = replace(link, quantity=replace(link.quantity, value=1.1 * link.quantity.value))
        links = (*shown.links[:place], more, *shown.links[place + 1 :])
        # The canvas may have grown with the ribbon; the corner that both share is compared.
        other = replace(
            layout(replace(shown, links=links)), width=drawing.width, height=drawing.height
        )
        assert difference(picture, other, tmp_path) > TOLERANCE
        changed += 1
    assert changed == 3
