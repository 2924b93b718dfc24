"""Charts to be compared: one scale, the same places, and only the numbers differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mfa.errors import MFAError
from mfa.sankey.chart import sankey
from mfa.sankey.diagram import Diagram, Link, Node, Quantity
from mfa.sankey.geometry import Box, Drawing, Label, Ribbon, overlap
from mfa.sankey.layout import layout, layout_all, layout_panels, primitive_bounds

from . import randoms
from .test_build import BALANCE, TWO_YEARS, balance_of


def boxes(drawing: Drawing) -> dict[str, tuple[float, float, float, float]]:
    return {
        item.node: (item.x, item.y, item.width, item.height)
        for item in drawing.primitives
        if isinstance(item, Box) and item.css.split()[0] == "box"
    }


def width(drawing: Drawing, link: str) -> float:
    return max(
        item.width
        for item in drawing.primitives
        if isinstance(item, Ribbon) and item.link == link and item.style in ("solid", "halo")
    )


def chain(first: float, second: float, label: str, extra: bool = False) -> Diagram:
    nodes = tuple(Node(name, name.upper()) for name in ("a", "b", "c"))
    links = [
        Link("1", "a", "b", "main", "", Quantity(first), ()),
        Link("2", "b", "c", "main", "", Quantity(second), ()),
    ]
    if extra:
        links.append(Link("3", "a", "c", "main", "", Quantity(7.0), ()))
    return Diagram("T", f"Cu, {label}", "t/yr", nodes, tuple(links), label=label)


def test_one_scale_and_the_same_places() -> None:
    one, two = chain(90.0, 40.0, "2017"), chain(30.0, 80.0, "2018", extra=True)
    drawings = layout_all((one, two))
    assert drawings[0].scale == drawings[1].scale < layout(one).scale * 1.0001
    assert boxes(drawings[0]) == boxes(drawings[1])
    assert (drawings[0].width, drawings[0].height) == (drawings[1].width, drawings[1].height)
    for drawing, sizes in zip(drawings, ((90.0, 40.0), (30.0, 80.0)), strict=True):
        for link, size in zip("12", sizes, strict=True):
            assert width(drawing, link) == pytest.approx(size * drawing.scale, abs=0.01)


def test_what_one_of_them_lacks_is_not_drawn() -> None:
    drawings = layout_all((chain(90.0, 40.0, "2017"), chain(30.0, 80.0, "2018", extra=True)))
    links = [
        {item.link for item in drawing.primitives if isinstance(item, Ribbon)} - {""}
        for drawing in drawings
    ]
    assert links == [{"1", "2"}, {"1", "2", "3"}]


@pytest.mark.parametrize("seed", range(30))
def test_boxes_of_random_years_do_not_move(seed: int) -> None:
    one = randoms.make(seed)
    drawings = layout_all((one, randoms.changed(one, seed)))
    assert boxes(drawings[0]) == boxes(drawings[1])
    assert drawings[0].scale == drawings[1].scale


def test_a_single_chart_is_no_comparison() -> None:
    one = randoms.make(5)
    assert layout_panels((one,)) == layout(one) == layout_all((one,))[0]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_panels_stand_apart_under_their_labels(count: int) -> None:
    years = tuple(chain(90.0 - 9 * k, 40.0 + 5 * k, str(2015 + k)) for k in range(count))
    drawing = layout_panels(years)
    heads = [i for i in drawing.primitives if isinstance(i, Label) and i.css == "panel"]
    assert [head.text for head in heads] == [year.label for year in years]
    rooms = [primitive_bounds(item, False) for item in drawing.primitives[1:]]
    assert all(r[0] >= 0 and r[1] >= 0 for r in rooms)
    assert all(r[2] <= drawing.width and r[3] <= drawing.height for r in rooms)
    texts = [primitive_bounds(i, False) for i in drawing.primitives if isinstance(i, Label)]
    assert not any(overlap(a, b) for k, a in enumerate(texts) for b in texts[k + 1 :])
    subtitle = next(i for i in drawing.primitives if isinstance(i, Label) and i.css == "subtitle")
    assert subtitle.text == "Cu"


def test_years_of_a_balance() -> None:
    chart = sankey(TWO_YEARS, year=[2017, 2018])
    assert [diagram.label for diagram in chart.diagrams] == ["2017", "2018"]
    one = chart.drawings[1].scale
    assert one == chart.drawing.scale
    # Twice the metal in the first year: half the width of a chart of the second year alone.
    assert one == pytest.approx(sankey(TWO_YEARS, year=2018).drawing.scale / 2, rel=0.02)


def test_the_data_beside_the_results() -> None:
    data, result = sankey(balance_of(changes={"strip": {"value": None}}), before=True).diagrams
    assert (data.label, result.label) == ("2018, data", "2018, reconciled")
    before = {link.id: link for link in data.links}
    after = {link.id: link for link in result.links}
    assert before.keys() == after.keys()
    blank = before["mill|homes|main"].quantity
    assert (blank.value, blank.low, blank.high, blank.status) == (None, None, None, "undetermined")
    assert after["mill|homes|main"].quantity.value is not None
    known = before["metal|mill|main"].quantity
    assert known.value == pytest.approx(180.0 + 119.0)
    assert known.sd == pytest.approx((5.0**2 + 4.0**2) ** 0.5)
    assert not any(node.bottleneck for node in data.nodes)
    assert any(node.bottleneck for node in result.nodes)


def test_a_sum_with_a_blank_is_only_known_from_below() -> None:
    balance = balance_of(changes={"rod": {"value": None}})
    data, _ = sankey(balance, before=True).diagrams
    quantity = next(k for k in data.links if k.id == "metal|mill|main").quantity
    assert (quantity.value, quantity.low, quantity.high) == (None, 119.0, None)


def test_what_the_user_left_out_counts_as_blank() -> None:
    data, _ = sankey(balance_of(changes={"strip": {"include": "no"}}), before=True).diagrams
    link = next(k for k in data.links if k.id == "mill|homes|main")
    assert link.quantity.value is None
    observed = link.parts[0].evidence.observed
    assert observed is not None
    assert observed.value == 346.0
    assert not link.parts[0].evidence.included


def test_no_year_is_an_error() -> None:
    with pytest.raises(MFAError, match="no year"):
        sankey(BALANCE, year=[])


def test_labels_keep_their_order() -> None:
    drawings = layout_all((chain(1.0, 2.0, "b"), replace(chain(2.0, 1.0, "a"))))
    texts = [[i.text for i in d.primitives if isinstance(i, Label)][1] for d in drawings]
    assert texts == ["Cu, b", "Cu, a"]


def test_scenarios_stand_beside_each_other() -> None:
    other = balance_of(changes={"strip": {"value": 500.0}})
    both = sankey(BALANCE).beside(sankey(other), labels=["as is", "more strip"])
    assert [diagram.label for diagram in both.diagrams] == ["as is", "more strip"]
    assert both.drawings[0].scale == both.drawings[1].scale
    assert boxes(both.drawings[0]) == boxes(both.drawings[1])
    with pytest.raises(MFAError, match=r"language differs \(en, ja\)"):
        sankey(BALANCE).beside(sankey(BALANCE, lang="ja"))
    with pytest.raises(MFAError, match="2 diagrams and 1 labels"):
        sankey(BALANCE).beside(sankey(other), labels=["one"])
