"""From a balance to a diagram: groups, bundles, lanes, flags, stocks, years, languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mfa.balance import Balance, reconcile
from mfa.errors import MFAError
from mfa.recycling import bottlenecks
from mfa.sankey.build import build_diagram
from mfa.sankey.diagram import Diagram, Link, Node
from mfa.sankey.strands import make_strands
from mfa.sankey.style import words
from mfa.system import System

# process, stage, kind, group, name, name_ja
PROCESSES = (
    ("abroad", "", "import", "", "Abroad", "海外"),
    ("chile", "", "import", "mines", "Chile", "チリ"),
    ("peru", "", "import", "mines", "Peru", ""),
    ("buyers", "", "export", "", "Buyers", ""),
    ("dump", "", "sink", "", "Dump", "処分場"),
    ("gap", "", "sink", "", "Gap", ""),
    ("furnace", "smelting", "process", "works", "Furnace", "炉"),
    ("tankhouse", "refining", "process", "works", "Tankhouse", "電解"),
    ("metal", "trade", "process", "", "Metal market", "地金市場"),
    ("mill", "fabrication", "process", "", "Mill", ""),
    ("homes", "use", "process", "", "Homes", "使用"),
    ("yard", "collection", "process", "", "Yard", "回収"),
    ("market", "trade", "process", "", "Scrap market", ""),
)
# flow, from, to, role, value, sd, name, name_ja
FLOWS: tuple[tuple[Any, ...], ...] = (
    ("ore1", "chile", "furnace", "primary", 210.0, 6.0, "Chilean ore", "チリ鉱石"),
    ("ore2", "peru", "furnace", "primary", 90.0, 4.0, "Peruvian ore", ""),
    ("anode", "furnace", "tankhouse", "primary", 287.0, 3.0, "anode", ""),
    ("round", "tankhouse", "tankhouse", "home_scrap", 25.0, 2.0, "anode scrap", ""),
    ("slag1", "furnace", "dump", "loss", 13.0, 2.0, "slag", "スラグ"),
    ("slime", "tankhouse", "dump", "loss", 4.0, 1.0, "slime", ""),
    ("cathode", "tankhouse", "metal", "refined", 343.0, 3.0, "cathode", ""),
    ("metal_in", "abroad", "metal", "refined", 57.0, 2.0, "refined imports", "地金輸入"),
    ("metal_out", "metal", "buyers", "refined", 101.0, 2.0, "refined exports", ""),
    ("rod", "metal", "mill", "refined", 180.0, 5.0, "rod", ""),
    ("cake", "metal", "mill", "refined", 119.0, 4.0, "cake", ""),
    ("strip", "mill", "homes", "product", 346.0, 6.0, "strip", ""),
    ("cutoffs", "mill", "market", "new_scrap", 23.0, 2.0, "cut-offs", ""),
    ("scrap_mill", "market", "mill", "scrap", 70.0, 3.0, "scrap", ""),
    ("scrap_tank", "market", "tankhouse", "scrap", 60.0, 3.0, "scrap", ""),
    ("discarded", "homes", "yard", "end_of_life", 155.0, 8.0, "discarded", "排出"),
    ("sold", "yard", "market", "old_scrap", 117.0, 5.0, "old scrap", ""),
    ("burnt", "yard", "dump", "loss", 38.0, 5.0, "burnt", ""),
    ("gap", "market", "gap", "discrepancy", 10.0, 2.0, "difference", ""),
)
Change = dict[str, dict[str, Any]]


def system_of(
    flows: Sequence[tuple[Any, ...]] = FLOWS,
    processes: Sequence[tuple[str, ...]] = PROCESSES,
    changes: Change | None = None,
    settings: dict[str, str] | None = None,
    **sheets: list[dict[str, Any]],
) -> System:
    """Return a system; ``changes`` are columns of single processes and flows by id."""
    columns = ["process", "stage", "kind", "group", "name", "name_ja"]
    boxes: list[dict[str, Any]] = [dict(zip(columns, p, strict=True)) for p in processes]
    columns = ["flow", "from", "to", "role", "value", "sd", "name", "name_ja"]
    rows: list[dict[str, Any]] = [
        {"year": 2018} | dict(zip(columns, f, strict=True)) for f in flows
    ]
    for row in [*boxes, *rows]:
        row |= (changes or {}).get(row.get("process") or row["flow"], {})
        if "discrepancy" in str(row.get("role")):
            row["min"] = -100.0
    for box in boxes:
        if box["process"] == "homes":
            box["stock"] = "yes"
    keys = {"title": "Copper", "unit": "kt/yr", "substances": "Cu"} | (settings or {})
    tables = {"system": pd.DataFrame(list(keys.items()), columns=["key", "value"])}
    frames = {"processes": boxes, "flows": rows, **sheets}
    tables |= {
        name: pd.DataFrame(some).astype(object).replace({"": None, np.nan: None})
        for name, some in frames.items()
    }
    return System.from_tables(tables)


def balance_of(*args: Any, **kwargs: Any) -> Balance:
    return reconcile(system_of(*args, **kwargs))


def link(diagram: Diagram, source: str | None, target: str | None, lane: str = "main") -> Link:
    (found,) = (
        one for one in diagram.links if (one.source, one.target, one.lane) == (source, target, lane)
    )
    return found


def node(diagram: Diagram, name: str) -> Node:
    (found,) = (one for one in diagram.nodes if one.id == name)
    return found


BALANCE = balance_of()
DIAGRAM = build_diagram(BALANCE)


# --- boxes ---------------------------------------------------------------------------------------


def test_boxes_are_balanced_processes_and_groups() -> None:
    names = {one.id for one in DIAGRAM.nodes}
    assert names == {"works", "metal", "mill", "homes", "yard", "market"}
    assert node(DIAGRAM, "works").label == "works"
    assert node(DIAGRAM, "metal").label == "Metal market"
    assert node(DIAGRAM, "yard").stage == "collection"


def test_flows_within_a_group_are_left_out_but_not_what_goes_round() -> None:
    shown = {part.flow for one in DIAGRAM.links for part in one.parts}
    assert shown == {flow[0] for flow in FLOWS} - {"anode"}
    assert [part.flow for part in link(DIAGRAM, "works", "works", "self").parts] == ["round"]


def test_a_group_may_have_the_name_of_a_process() -> None:
    """The mill stays a box of its own beside a group of two others called mill."""
    changes: Change = {"furnace": {"group": "mill"}, "tankhouse": {"group": "mill"}}
    diagram = build_diagram(balance_of(changes=changes))
    shown = {part.flow for one in diagram.links for part in one.parts}
    assert "scrap_mill" in shown
    assert len(diagram.nodes) == len(DIAGRAM.nodes)


def test_wished_places() -> None:
    changes: Change = {"furnace": {"column": 3, "row": 2}, "tankhouse": {"column": 1, "row": 5}}
    diagram = build_diagram(balance_of(changes=changes))
    assert (node(diagram, "works").column, node(diagram, "works").row) == (1, 2)
    assert (node(diagram, "mill").column, node(diagram, "mill").row) == (None, None)


# --- links ---------------------------------------------------------------------------------------


def test_lanes() -> None:
    lanes = {part.flow: one.lane for one in DIAGRAM.links for part in one.parts}
    assert lanes == {
        "ore1": "import",
        "ore2": "import",
        "round": "self",
        "slag1": "loss",
        "slime": "loss",
        "cathode": "main",
        "metal_in": "import",
        "metal_out": "export",
        "rod": "main",
        "cake": "main",
        "strip": "main",
        "cutoffs": "scrap",
        "scrap_mill": "scrap",
        "scrap_tank": "scrap",
        "discarded": "main",
        "sold": "main",
        "burnt": "loss",
        "gap": "discrepancy",
    }


def test_scrap_is_told_by_its_role() -> None:
    """Old scrap on its way to the market is scrap, what is discarded is not yet."""
    scrap = {part.flow for one in DIAGRAM.links if one.is_scrap for part in one.parts}
    assert scrap == {"round", "cutoffs", "scrap_mill", "scrap_tank", "sold"}
    tones = {strand.link.id: strand.tone for strand in make_strands(DIAGRAM, 1.0, words("en"))}
    assert tones[link(DIAGRAM, "yard", "market").id] == "scrap"
    assert tones[link(DIAGRAM, "homes", "yard").id] == "main"


def test_open_ends() -> None:
    for one in DIAGRAM.links:
        assert (one.source is None) == (one.lane == "import")
        assert (one.target is None) == (one.lane in ("export", "loss", "discrepancy"))


def test_ids_are_unique() -> None:
    assert len({one.id for one in DIAGRAM.links}) == len(DIAGRAM.links)


BUNDLES = (
    (None, "works", "import", ("ore1", "ore2")),
    ("metal", "mill", "main", ("rod", "cake")),
    ("works", None, "loss", ("slag1", "slime")),
)


@pytest.mark.parametrize(("source", "target", "lane", "flows"), BUNDLES)
def test_a_bundle_is_the_sum_of_its_flows(
    source: str | None, target: str | None, lane: str, flows: tuple[str, ...]
) -> None:
    """Var of a sum is the sum of all entries of the covariance, not of the variances."""
    one = link(DIAGRAM, source, target, lane)
    table = BALANCE.flows.set_index("flow").loc[list(flows)]
    variance = BALANCE.covariance(list(flows)).to_numpy().sum()
    assert one.quantity.value == pytest.approx(table["value"].sum(), rel=1e-12)
    assert one.quantity.sd == pytest.approx(np.sqrt(variance), rel=1e-9)
    assert one.quantity.sd != pytest.approx(np.sqrt((table["sd"] ** 2).sum()), rel=1e-3)
    assert one.quantity.high == pytest.approx(one.quantity.value + 1.96 * one.quantity.sd)
    assert [part.flow for part in one.parts] == list(flows)  # largest first
    for part in one.parts:
        assert part.quantity.value == pytest.approx(table["value"][part.flow])
        assert part.quantity.sd == pytest.approx(table["sd"][part.flow])


def test_a_single_flow_is_its_own_quantity() -> None:
    one = link(DIAGRAM, "homes", "yard")
    assert one.quantity == one.parts[0].quantity
    assert one.label == "discarded"
    assert one.quantity.status == "reconciled"


def test_labels_of_bundles() -> None:
    assert link(DIAGRAM, None, "works", "import").label == "mines"
    assert link(DIAGRAM, "works", None, "loss").label == "Dump"
    assert link(DIAGRAM, "metal", "mill").label == ""


def test_what_crosses_the_boundary_always_has_a_label() -> None:
    """Names of flows are optional; what is behind an import or an export is to be read there."""
    flows = tuple((*flow[:6], "", "") for flow in FLOWS)
    diagram = build_diagram(balance_of(flows))
    assert all(one.label for one in diagram.links if one.lane in ("import", "export", "loss"))


LOOSE: Change = {"rod": {"value": None, "sd": None}, "cake": {"value": None, "sd": None}}


def test_a_known_sum_of_unknown_flows() -> None:
    """Rod and cake are not told apart; their sum follows from the balances, nobody measured it."""
    balance = balance_of(changes=LOOSE)
    quantity = link(build_diagram(balance), "metal", "mill").quantity
    value = balance.flows.set_index("flow")["value"]
    assert quantity.value == pytest.approx(
        value["cathode"] + value["metal_in"] - value["metal_out"]
    )
    assert quantity.status == "calculated"


def test_a_known_sum_with_one_measured_part_is_not_measured() -> None:
    flows = (*FLOWS, ("tube", "metal", "mill", "refined", 11.0, 1.0, "tube", ""))
    balance = balance_of(flows, changes=LOOSE)
    quantity = link(build_diagram(balance), "metal", "mill").quantity
    assert balance.flows.set_index("flow")["status"]["tube"] == "measured"
    assert quantity.value == pytest.approx(299.0, abs=3.0)
    assert quantity.status == "calculated"


def test_an_unknown_sum_is_a_range() -> None:
    gone = LOOSE | {"metal_out": LOOSE["rod"], "strip": LOOSE["rod"]}
    balance = balance_of(changes=gone)
    quantity = link(build_diagram(balance), "metal", "mill").quantity
    value = balance.flows.set_index("flow")["value"]
    assert quantity.value is None
    assert quantity.sd is None
    assert quantity.status == "undetermined"
    assert quantity.low == pytest.approx(0.0, abs=1e-6)
    assert quantity.high == pytest.approx(value["cathode"] + value["metal_in"])


def test_assumptions_show_where_they_make_most_of_the_variance() -> None:
    changes: Change = {"burnt": {"basis": "assumption"}, "discarded": {"basis": "assumption"}}
    balance = balance_of(changes=changes)
    diagram = build_diagram(balance)
    share = balance.flows.set_index("flow")["assumed"]
    for one in diagram.links:
        for part in one.parts:
            assert part.quantity.assumed == (share[part.flow] > 0.5), part.flow
    assert link(diagram, "homes", "yard").quantity.assumed
    assert not link(diagram, None, "works", "import").quantity.assumed


# --- marks ---------------------------------------------------------------------------------------


def test_bottleneck() -> None:
    (worst,) = bottlenecks(BALANCE).query("bottleneck")["item"]
    assert worst == "yard"
    assert [one.id for one in DIAGRAM.nodes if one.bottleneck] == ["yard"]
    assert [one.parts[0].flow for one in DIAGRAM.links if one.bottleneck] == ["burnt"]


def test_flags_only_where_the_data_contradict_each_other() -> None:
    """A yard that gets 155 and passes on 155, 38 of it twice."""
    assert not any(one.flagged for one in (*DIAGRAM.nodes, *DIAGRAM.links))
    assert DIAGRAM.notes == ()
    diagram = build_diagram(balance_of(changes={"discarded": {"value": 255.0}}))
    assert [one.id for one in diagram.nodes if one.flagged] == ["yard"]
    assert link(diagram, "homes", "yard").flagged
    assert not link(diagram, None, "works", "import").flagged
    assert len(diagram.notes) == 1
    assert "contradict" in diagram.notes[0]


def test_imbalance_is_a_share_of_the_throughput() -> None:
    balance = balance_of(changes={"discarded": {"value": 165.0}})
    diagram = build_diagram(balance)
    through = balance.processes.set_index("process")["throughput"]["yard"]
    assert node(diagram, "yard").imbalance == pytest.approx(10.0 / through)
    assert node(diagram, "homes").imbalance is None  # its stock change is unknown


def test_stock_boxes() -> None:
    level = {"process": "homes", "year": 2018, "quantity": "level", "value": 5000.0, "sd": 400.0}
    box = node(build_diagram(balance_of(stocks=[level])), "homes").stock
    assert box is not None
    assert box.level is not None
    assert (box.level.value, box.level.sd) == pytest.approx((5000.0, 400.0))
    assert box.change is not None
    assert box.change.value == pytest.approx(346 - 155, abs=2.0)
    plain = node(DIAGRAM, "homes").stock
    assert plain is not None
    assert plain.level is None or plain.level.value is None
    assert node(DIAGRAM, "yard").stock is None


# --- which year, substance, language -------------------------------------------------------------


def _two_years() -> Balance:
    """Cu in 2017 and half of it in 2018; Zn is named but nowhere to be found."""
    later = tuple((f[0], f[1], f[2], f[3], f[4] / 2, f[5], f[6], f[7]) for f in FLOWS)
    columns = ["flow", "from", "to", "role", "value", "sd", "name", "name_ja"]
    frames = []
    for year, some in ((2017, FLOWS), (2018, later)):
        frames.append(pd.DataFrame(some, columns=columns).assign(year=year, min=np.nan))
    flows = pd.concat(frames, ignore_index=True)
    flows.loc[flows["role"] == "discrepancy", "min"] = -100.0
    columns = ["process", "stage", "kind", "group", "name", "name_ja"]
    processes = pd.DataFrame(PROCESSES, columns=columns)
    processes["stock"] = np.where(processes["process"] == "homes", "yes", "")
    keys = {"unit": "kt/yr", "substances": "Cu, Zn", "title": "Copper", "title_ja": "銅"}
    tables = {
        "system": pd.DataFrame(list(keys.items()), columns=["key", "value"]),
        "processes": processes.astype(object).replace("", None),
        "flows": flows.astype(object).replace({"": None, np.nan: None}),
    }
    return reconcile(System.from_tables(tables))


TWO_YEARS = _two_years()


def test_the_last_year_and_the_first_substance_by_default() -> None:
    balance = TWO_YEARS
    last, first = build_diagram(balance), build_diagram(balance, year=2017)
    assert "2018" in last.subtitle
    assert "Cu" in last.subtitle
    assert "kt/yr" in last.subtitle
    one, other = link(last, "metal", "mill").quantity, link(first, "metal", "mill").quantity
    assert one.value is not None
    assert other.value == pytest.approx(2 * one.value, rel=0.02)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"year": 1999}, "1999"),
        ({"substance": "Cuu"}, "Cuu.*Cu"),
        ({"substance": "Zn"}, "Zn"),
        ({"substance": "goods"}, "goods"),
    ],
)
def test_what_is_not_there_is_an_error(given: dict[str, Any], words: str) -> None:
    with pytest.raises(MFAError, match=words):
        build_diagram(TWO_YEARS, **given)


def test_japanese_names_fall_back_on_english() -> None:
    diagram = build_diagram(TWO_YEARS, lang="ja")
    assert diagram.title == "銅"
    assert diagram.lang == "ja"
    assert node(diagram, "metal").label == "地金市場"
    assert node(diagram, "mill").label == "Mill"
    assert link(diagram, None, "metal", "import").label == "地金輸入"
    assert link(diagram, "metal", "mill").label == ""
    assert link(diagram, "homes", "yard").label == "排出"
    parts = {p.flow: p.label for one in diagram.links for p in one.parts}
    assert (parts["ore1"], parts["ore2"]) == ("チリ鉱石", "Peruvian ore")
    assert link(diagram, "works", None, "loss").label == "処分場"
    assert build_diagram(BALANCE, lang="ja").title == "Copper"


@pytest.mark.parametrize("member", ["furnace", "tankhouse"])
def test_the_japanese_name_of_a_group_may_stand_at_any_member(member: str) -> None:
    balance = balance_of(changes={member: {"group_ja": "製錬所"}})
    assert node(build_diagram(balance, lang="ja"), "works").label == "製錬所"
    assert node(build_diagram(balance, lang="en"), "works").label == "works"


def test_the_order_of_rows_does_not_matter() -> None:
    """Boxes, their stages, links and parts stand in an order of their own."""
    turned = build_diagram(balance_of(FLOWS[::-1], PROCESSES[::-1]))
    assert [one.id for one in turned.nodes] == [one.id for one in DIAGRAM.nodes]
    assert [one.stage for one in turned.nodes] == [one.stage for one in DIAGRAM.nodes]
    assert [one.id for one in turned.links] == [one.id for one in DIAGRAM.links]
    parts = [[p.flow for p in one.parts] for one in DIAGRAM.links]
    assert [[p.flow for p in one.parts] for one in turned.links] == parts
