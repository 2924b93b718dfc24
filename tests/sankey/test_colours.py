"""What colours tell: substances, origins, adjustments, and the legend that says so."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mfa.balance import reconcile
from mfa.errors import MFAError
from mfa.io import read_workbook
from mfa.recycling.place import places
from mfa.recycling.provenance import provenance
from mfa.sankey.build import build_diagram
from mfa.sankey.chart import sankey
from mfa.sankey.diagram import Diagram, Link, Node, Quantity
from mfa.sankey.geometry import Label, Ribbon
from mfa.sankey.layout import layout
from mfa.sankey.style import TONES

from .test_build import BALANCE, balance_of, link


def legend(diagram: Diagram) -> list[str]:
    return [
        i.text for i in layout(diagram).primitives if isinstance(i, Label) and "legend" in i.css
    ]


def mixed_by_hand(
    flows: dict[str, tuple[str, str, str, float]], origin: set[str]
) -> dict[str, float]:
    """Shares by going round until nothing changes: each process passes on what it takes in."""
    share = dict.fromkeys(flows, 0.0)
    definite = {"primary", "new_scrap", "old_scrap", "end_of_life"}
    for _ in range(3000):
        for name, (source, _, role, _) in flows.items():
            if role in definite:
                share[name] = float(role in origin)
                continue
            enters = [k for k, f in flows.items() if f[1] == source and f[0] != source]
            total = sum(flows[k][3] for k in enters)
            share[name] = sum(share[k] * flows[k][3] for k in enters) / total if total else 0.0
    return share


def test_origins_are_mixed_in_every_process() -> None:
    place = places(BALANCE)["Cu", 2018]
    rows = BALANCE.flows.set_index("flow")
    flows = {
        str(name): (row["from"], row["to"], row["role"], row["value"])
        for name, row in rows.iterrows()
        if row["role"] != "discrepancy"
    }
    found = provenance(place)
    names = BALANCE.system.flows["flow"].tolist()
    for name, roles in {
        "primary": {"primary"},
        "new_scrap": {"new_scrap"},
        "old_scrap": {"old_scrap", "end_of_life"},
    }.items():
        wanted = mixed_by_hand(flows, roles)
        got = dict(zip(names, found[name].tolist(), strict=True))
        assert 0.02 < wanted["strip"] < 0.98
        for flow in ("cathode", "rod", "strip", "scrap_mill", "slime", "metal_out"):
            assert got[flow] == pytest.approx(wanted[flow], abs=2e-3), (name, flow)


@pytest.mark.parametrize("case", ["copper-japan", "copper-world", "rare-earth-magnets"])
def test_origins_of_shipped_cases_add_up_to_at_most_one(case: str) -> None:
    for place in places(reconcile(read_workbook(f"flows/{case}.xlsx"))).values():
        shares = provenance(place)
        there = place.there
        for share in shares.values():
            known = share[there & ~np.isnan(share)]
            assert ((known > -1e-9) & (known < 1 + 1e-9)).all()
        assert (np.nan_to_num(shares["primary"] + shares["scrap"])[there] < 1 + 1e-9).all()
        told = shares["new_scrap"] + shares["old_scrap"]
        assert (np.nan_to_num(told - shares["scrap"])[there] < 1e-9).all()


def test_ribbons_are_stacked_by_origin() -> None:
    diagram = build_diagram(BALANCE, colour="origin")
    tones = dict(link(diagram, "mill", "homes").tones)
    assert set(tones) == {"primary", "new_scrap", "old_scrap", "unknown"}
    assert sum(tones.values()) == pytest.approx(1.0)
    assert link(diagram, "homes", "yard").tones == (("old_scrap", 1.0),)
    drawing = layout(diagram)
    shown = link(diagram, "mill", "homes")
    stripes = [
        r
        for r in drawing.primitives
        if isinstance(r, Ribbon) and r.link == shown.id and "stripe" in r.css
    ]
    core = next(
        r
        for r in drawing.primitives
        if isinstance(r, Ribbon) and r.link == shown.id and r.style == "solid"
    )
    assert [s.tone for s in stripes] == [tone for tone, _ in shown.tones]
    assert sum(s.width for s in stripes) == pytest.approx(core.width, abs=0.05)
    # Side by side: each begins where the one before ends.
    feet = [(s.outline[0][1][1], s.outline[-2][1][1]) for s in stripes]
    for (_, low), (high, _) in pairwise(feet):
        assert low == pytest.approx(high, abs=0.02)


def test_the_legend_names_the_colours_that_are_there() -> None:
    words = legend(build_diagram(BALANCE, colour="origin"))
    assert words[:4] == [
        "from ore",
        "from new scrap",
        "from old scrap",
        "origin unknown, or undetermined",
    ]
    assert "material and products" not in words
    assert "鉱石由来" in legend(build_diagram(BALANCE, colour="origin", lang="ja"))


@pytest.mark.parametrize(
    ("value", "tone"),
    [(346.0, "still"), (430.0, "down2"), (270.0, "up2"), (None, "blank")],
)
def test_adjustments(value: float | None, tone: str) -> None:
    changes: dict[str, dict[str, Any]] = {"strip": {"value": value}}
    diagram = build_diagram(balance_of(changes=changes), colour="adjustment")
    assert link(diagram, "mill", "homes").tones == ((tone, 1.0),)


def test_a_bundle_has_the_colour_of_what_moved_most() -> None:
    changes = {"rod": {"value": 150.0, "sd": 9.0}}
    balance = balance_of(changes=changes)
    moved = balance.flows.set_index("flow")["adjustment"]
    assert moved["rod"] > 1.96 > abs(moved["cake"])
    assert link(build_diagram(balance, colour="adjustment"), "metal", "mill").tones[0][0] == "up2"


def test_gross_mass_shows_what_is_known_of_its_composition() -> None:
    balance = reconcile(read_workbook("flows/rare-earth-magnets.xlsx"))
    diagram = build_diagram(balance, substance="goods", colour="substance")
    table = balance.flows.set_index(["flow", "substance"])["value"]
    for one in diagram.links:
        if len(one.parts) != 1 or not one.tones or one.tones == (("unknown", 1.0),):
            continue
        flow = one.parts[0].flow
        share = dict(one.tones)
        for place, name in enumerate(("Nd+Pr", "Dy", "Tb")):
            wanted = table.get((flow, name), 0.0) / table[flow, "goods"]
            assert share.get(f"substance{place}", 0.0) == pytest.approx(wanted, abs=2e-6)
        assert sum(share.values()) == pytest.approx(1.0)
    assert any(len(one.tones) == 4 for one in diagram.links)
    first, second = (build_diagram(balance, substance=s, colour="substance") for s in ("Dy", "Tb"))
    assert {one.tones for one in first.links} == {(("substance1", 1.0),)}
    assert {one.tones for one in second.links} == {(("substance2", 1.0),)}


def test_wrong_colours_and_styles_are_named() -> None:
    with pytest.raises(MFAError, match=r"'orgin'.*origin"):
        sankey(BALANCE, colour="orgin")  # type: ignore[arg-type]
    with pytest.raises(MFAError, match="cycle or circulation"):
        sankey(BALANCE, style="round")  # type: ignore[arg-type]


def lightness(colour: str) -> float:
    """CIE L* of a colour, which every kind of colour blindness leaves about as it is."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    y = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def test_numbers_can_be_read_on_every_colour() -> None:
    """A contrast of 4.5 to 1 between letters and ground, as WCAG 2 demands."""
    for tone, colour in TONES.items():
        ground = ((lightness(colour) + 16) / 116) ** 3
        assert (ground + 0.05) / (0.0137 + 0.05) >= 4.5, tone


def test_steps_of_a_scale_differ_in_lightness() -> None:
    for steps in (("new_scrap", "mixed_scrap", "old_scrap"), ("down1", "down2"), ("up1", "up2")):
        values = [lightness(TONES[tone]) for tone in steps]
        assert all(a - b > 10 for a, b in pairwise(values))


def test_boxes_in_lanes_carry_what_passes_through() -> None:
    diagram = build_diagram(BALANCE, style="circulation")
    through = {node.id: node.throughput for node in diagram.nodes}
    mill = through["mill"]
    assert mill is not None
    rows = BALANCE.flows.set_index("flow")
    wanted = rows.loc[["rod", "cake", "scrap_mill"], "value"].sum()
    assert mill.value == pytest.approx(wanted, rel=1e-9)
    covariance = np.asarray(BALANCE.covariance(["rod", "cake", "scrap_mill"]))
    assert mill.sd == pytest.approx(np.sqrt(covariance.sum()), rel=1e-6)
    assert all(node.throughput is None for node in build_diagram(BALANCE).nodes)


def test_lanes_run_from_ore_to_scrap() -> None:
    drawing = sankey(BALANCE, style="circulation").drawing
    heads = [i for i in drawing.primitives if isinstance(i, Label) and i.css == "band-label"]
    assert [head.text for head in sorted(heads, key=lambda i: i.x)] == [
        "Smelting",
        "Market",
        "Fabrication",
        "Use",
        "Collection",
        "Market",
    ]
    assert not any(isinstance(i, Label) and i.css == "key-label" for i in drawing.primitives)


def test_chains_run_straight_in_lanes_by_what_flows() -> None:
    nodes = tuple(
        Node(name, name, stage)
        for name, stage in (("a", "smelting"), ("b", "use"), ("c", "use"), ("d", "collection"))
    )
    sizes = (("a", "b", 3.0), ("a", "c", 70.0), ("b", "d", 3.0), ("c", "d", 70.0))
    links = tuple(Link(a + b, a, b, "main", "", Quantity(x), ()) for a, b, x in sizes)
    drawing = layout(replace(Diagram("", "", "t/yr", nodes, links), style="circulation"))
    heights = {
        item.link: {y for _, values in item.outline for y in values[1::2]}
        for item in drawing.primitives
        if isinstance(item, Ribbon) and item.style == "solid"
    }
    assert len(heights["ac"]) < len(heights["ab"])
