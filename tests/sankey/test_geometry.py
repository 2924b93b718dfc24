"""What must hold for every chart, whatever it shows."""

from __future__ import annotations

import math
from functools import cache
from itertools import combinations
from typing import cast

import pytest
from matplotlib.path import Path

from mfa.balance import Balance, reconcile
from mfa.io import read_workbook
from mfa.sankey.build import Lang, build_diagram
from mfa.sankey.compare import align
from mfa.sankey.diagram import Diagram
from mfa.sankey.geometry import Bounds, Box, Drawing, Label, Outline, Ribbon, overlap
from mfa.sankey.layout import Arrangement, arrange_all, layout_all, primitive_bounds
from mfa.sankey.strands import choose_scale
from mfa.sankey.style import ARROW, words
from mfa.sankey.svg import to_svg
from mfa.sankey.text import label_bounds

from . import copper, randoms

SEEDS = range(200)
CASES = ("copper-japan", "copper-japan-discrepancy", "copper-world", "rare-earth-magnets")
# Single charts; the style with lanes; and charts of a comparison, by the place in it.
PLAIN = ("en", "ja", "large", *(f"{case} {lang}" for case in CASES for lang in ("en", "ja")))
LANES = (*(f"lanes {seed}" for seed in range(30)), *(f"{case} lanes" for case in CASES))
PAIRS = (*(f"{place} of {seed}" for seed in range(20) for place in (0, 1)), "0 of years")
NAMES: tuple[int | str, ...] = (*PLAIN, *LANES, *PAIRS, *SEEDS)


@cache
def balance(case: str) -> Balance:
    return reconcile(read_workbook(f"flows/{case}.xlsx"))


@cache
def diagrams(name: int | str) -> tuple[tuple[Diagram, ...], int]:
    """Diagrams that are laid out together, aligned, and the place of the one that is meant."""
    if isinstance(name, int):
        return (randoms.make(name),), 0
    first, *rest = name.split()
    if first == "lanes":
        return (randoms.as_lanes(randoms.make(int(rest[0]))),), 0
    if first in CASES and rest[0] == "lanes":
        return (build_diagram(balance(first), style="circulation"),), 0
    if first in CASES:
        return (build_diagram(balance(first), lang=cast("Lang", rest[0])),), 0
    if name == "0 of years":
        years = (build_diagram(balance(CASES[0]), year) for year in range(2015, 2020))
        return align(tuple(years)), 0
    if rest:
        one = randoms.make(int(rest[1]))
        return align((one, randoms.changed(one, int(rest[1])))), int(first)
    return (randoms.make(7, 200, 600) if name == "large" else copper.build(name),), 0


def diagram(name: int | str) -> Diagram:
    every, place = diagrams(name)
    return every[place]


@cache
def drawing(name: int | str) -> Drawing:
    every, place = diagrams(name)
    return layout_all(every)[place]


@cache
def arrangement(name: int | str) -> Arrangement:
    every, place = diagrams(name)
    scale = min(choose_scale(one) for one in every)
    return arrange_all(every, scale, words(every[0].lang))[place]


def ribbons(name: int | str) -> dict[str, list[Ribbon]]:
    """The parts of every link, without the white edges under them."""
    found: dict[str, list[Ribbon]] = {}
    for item in drawing(name).primitives:
        if isinstance(item, Ribbon) and item.link and item.style != "casing":
            found.setdefault(item.link, []).append(item)
    return found


def boxes(name: int | str) -> dict[str, Box]:
    return {
        item.node: item
        for item in drawing(name).primitives
        if isinstance(item, Box) and item.css.split()[0] == "box"
    }


def points(outline: Outline) -> list[tuple[float, float]]:
    """Points along a path, eight to a curve."""
    found: list[tuple[float, float]] = []
    for op, values in outline:
        if op == "C":
            (x0, y0), (x1, y1, x2, y2, x3, y3) = found[-1], values
            for k in range(1, 9):
                t = k / 8
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                found.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
        elif op != "Z":
            found.append((values[0], values[1]))
    return found


def foot(ribbon: Ribbon) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two corners where a closed ribbon begins."""
    corners = [values[-2:] for op, values in ribbon.outline if op != "Z"]
    return (corners[0][0], corners[0][1]), (corners[-1][0], corners[-1][1])


def closed(name: int | str, link: str) -> list[Ribbon]:
    return [
        r
        for r in ribbons(name)[link]
        if "stripe" not in r.css and r.style in ("solid", "halo", "hatched")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_width_is_value_times_scale(name: int | str) -> None:
    scale = drawing(name).scale
    lanes = diagram(name).style == "circulation"
    for link in diagram(name).links:
        parts = [] if link.absent else closed(name, link.id)
        for ribbon in parts:
            assert math.dist(*foot(ribbon)) == pytest.approx(ribbon.width, abs=0.03)
        value, sd = link.quantity.value, link.quantity.sd
        if value is None or not parts:
            continue
        size = ARROW if lanes else abs(value) * scale
        if len(parts) == 1:
            assert parts[0].width == pytest.approx(size, abs=0.02)
        elif sd is not None and sd <= abs(value):
            halo, core = sorted(parts, key=lambda r: -r.width)
            assert halo.width == pytest.approx(size + sd * scale, abs=0.02)
            assert core.width == pytest.approx(max(size - sd * scale, 1.0), abs=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_is_painted_and_thin_ones_are_hairlines(name: int | str) -> None:
    scale = drawing(name).scale
    lanes = diagram(name).style == "circulation"
    for link in diagram(name).links:
        if link.absent:
            assert link.id not in ribbons(name)
            continue
        parts = ribbons(name)[link.id]
        styles = {ribbon.style for ribbon in parts}
        value = link.quantity.value
        if value is None:
            assert "hatched" in styles
        else:
            # Arrows in lanes are as wide for little as for much, but not for what rounding left.
            largest = max(abs(one.quantity.value or 0.0) for one in diagram(name).links)
            nothing = abs(value) < 1e-9 * largest or value == 0
            assert ("hairline" in styles) == (nothing if lanes else abs(value) * scale < 1.0)
        assert all(lane in ribbon.css.split() for ribbon in parts for lane in (link.lane,))


@pytest.mark.parametrize("name", NAMES)
def test_ports_lie_side_by_side_within_the_height_of_their_box(name: int | str) -> None:
    found = arrangement(name)
    for item, plan in enumerate(found.plans):
        for order, offsets in zip(
            (found.grid.left[item], found.grid.right[item]), found.offsets, strict=True
        ):
            edge = 0.0
            order = [index for index in order if not found.strands[index].link.absent]
            for index in order:
                half = found.strands[index].full / 2
                assert offsets[item, index] - half >= edge - 1e-6
                edge = offsets[item, index] + half
            assert edge <= plan.height + 1e-6
            assert sum(found.strands[index].width for index in order) <= plan.height + 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_links_leave_at_the_edge_of_their_source(name: int | str) -> None:
    standing = boxes(name)
    for link in diagram(name).links:
        value = link.quantity.value
        if link.source is None or link.target in (None, link.source) or link.absent:
            continue
        if value is not None and value < 0:
            continue  # drawn from its target
        box = standing[link.source]
        for ribbon in closed(name, link.id):
            for x, y in foot(ribbon):
                assert x == pytest.approx(box.x + box.width, abs=0.02)
                assert box.y - 0.02 <= y <= box.y + box.height + 0.02


@pytest.mark.parametrize("name", NAMES)
def test_no_ribbon_runs_through_a_box(name: int | str) -> None:
    standing = [primitive_bounds(box, False) for box in boxes(name).values()]
    for parts in ribbons(name).values():
        for ribbon in parts:
            for x, y in points(ribbon.outline):
                assert not any(
                    left + 0.6 < x < right - 0.6 and top + 0.6 < y < bottom - 0.6
                    for left, top, right, bottom in standing
                )


@pytest.mark.parametrize("name", NAMES)
def test_no_box_lies_under_a_ribbon(name: int | str) -> None:
    middles = [(box.x + box.width / 2, box.y + box.height / 2) for box in boxes(name).values()]
    for link in ribbons(name):
        for ribbon in closed(name, link):
            assert not Path(points(ribbon.outline)).contains_points(middles).any()


@pytest.mark.parametrize("name", NAMES)
def test_lanes_do_not_overlap_each_other_nor_what_stands_above(name: int | str) -> None:
    found = arrangement(name)
    rooms: list[Bounds] = []
    for course in found.places.courses:
        half = found.strands[course.lane.strand].full / 2
        left, right = course.ends
        rooms.append((left - half, course.y - half, right + half, course.y + half))
    for a, b in combinations(rooms, 2):
        assert not overlap(a, b)
    for item, plan in enumerate(found.plans):
        x, y = found.places.x[found.grid.column[item]], found.places.y[item]
        stand = (x, y - plan.above, x + plan.width, y + plan.height + plan.below)
        assert not any(overlap(stand, room) for room in rooms)


@pytest.mark.parametrize("name", NAMES)
def test_items_of_a_column_keep_apart_with_stubs_and_labels(name: int | str) -> None:
    found = arrangement(name)
    for items in found.grid.columns:
        bottom = -math.inf
        for item in items:
            plan, y = found.plans[item], found.places.y[item]
            assert y - plan.above >= bottom - 1e-6
            bottom = y + plan.height + plan.below


def label_rooms(name: int | str) -> list[Bounds]:
    wide = drawing(name).lang == "ja"
    labels = (item for item in drawing(name).primitives if isinstance(item, Label))
    return [label_bounds(label, wide) for label in labels if label.text]


@pytest.mark.parametrize("name", NAMES)
def test_labels_do_not_overlap_labels(name: int | str) -> None:
    rooms = sorted(label_rooms(name))
    for place, room in enumerate(rooms):
        for other in rooms[place + 1 :]:
            if other[0] > room[2]:
                break
            assert not overlap(room, other, 0.05)


@pytest.mark.parametrize("name", NAMES)
def test_labels_stand_inside_a_box_or_outside_all_boxes(name: int | str) -> None:
    standing = [
        primitive_bounds(item, False)
        for item in drawing(name).primitives
        if isinstance(item, Box) and item.css.split()[0] not in ("background", "band")
    ]
    for room in label_rooms(name):
        for box in standing:
            inside = (
                box[0] <= room[0] and box[1] <= room[1] and room[2] <= box[2] and room[3] <= box[3]
            )
            assert inside or not overlap(room, box, 0.05)


@pytest.mark.parametrize("name", NAMES)
def test_stubs_keep_clear_of_labels_and_of_other_links(name: int | str) -> None:
    rooms = label_rooms(name)
    inner = {link.id for link in diagram(name).links if link.source and link.target}
    others = [
        point
        for link, parts in ribbons(name).items()
        if link in inner and not any("self" in r.css.split() for r in parts)
        for ribbon in parts
        for point in points(ribbon.outline)
    ]
    for link, parts in ribbons(name).items():
        if link in inner:
            continue
        for ribbon in parts:
            stub = primitive_bounds(ribbon, False)
            assert not any(overlap(stub, room, 0.05) for room in rooms)
            assert not any(
                stub[0] < x < stub[2] and stub[1] + 0.05 < y < stub[3] - 0.05 for x, y in others
            )


@pytest.mark.parametrize("name", NAMES)
def test_nothing_lies_outside_the_canvas(name: int | str) -> None:
    canvas = drawing(name)
    wide = canvas.lang == "ja"
    for item in canvas.primitives:
        left, top, right, bottom = primitive_bounds(item, wide)
        assert left >= 0.0
        assert top >= 0.0
        assert right <= canvas.width + 0.01
        assert bottom <= canvas.height + 0.01


@pytest.mark.parametrize("name", NAMES)
def test_same_drawing_twice(name: int | str) -> None:
    every, place = diagrams(name)
    assert to_svg(layout_all(every)[place]) == to_svg(drawing(name))


@pytest.mark.parametrize("name", NAMES)
def test_coordinates_have_two_decimals(name: int | str) -> None:
    for item in drawing(name).primitives:
        if isinstance(item, Ribbon):
            assert all(p == round(p, 2) for _, values in item.outline for p in values)
        elif isinstance(item, Box | Label):
            assert (item.x, item.y) == (round(item.x, 2), round(item.y, 2))
