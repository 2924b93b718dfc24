"""Supply shocks worked out by hand: losses, stocks, substitutes, capacities, loops, open ends."""

from __future__ import annotations

import numpy as np
import pytest

import mfa
from mfa.supply import cover, disruptions

from ..balance.cases import Wishes, random_case  # noqa: TID252
from .chains import FLOWS, PROCESSES, build, by_month, chain

CHILE = {"country": "Chile", "share": 0.5, "months": 4}


def test_without_stocks_users_are_cut_in_proportion():
    found = mfa.disrupt(chain(), CHILE)
    # 15 of 50 lost, a tenth of which would have been slag: 13.5 of 45 unmet, 30 % of each user
    assert by_month(found, "Mills") == pytest.approx([8.1] * 4)
    assert by_month(found, "Abroad") == pytest.approx([5.4] * 4)
    assert by_month(found, "Smelter") == pytest.approx([15.0] * 4)
    row = found.summary.iloc[0]
    assert row["lost"] == pytest.approx(60.0)
    assert row["unmet"] == pytest.approx(54.0)
    assert row["unmet_share"] == pytest.approx(0.3)
    assert row["endurance_months"] == 0
    assert row["first_short"] == "Mills, Abroad"
    assert found.first_out is None
    slag = found.flows[found.flows["flow"] == "slag"]
    assert slag["value"].tolist() == pytest.approx([3.5] * 4)


def test_a_stock_that_is_released_slowly_is_used_first():
    kept = [{"process": "Smelter", "value": 25.0, "release_per_month": 0.4}]
    found = mfa.disrupt(chain(stockpiles=kept), CHILE)
    # released 10, 10, 5, 0; a tenth of the rest becomes slag
    total = np.add(by_month(found, "Mills"), by_month(found, "Abroad"))
    assert total.tolist() == pytest.approx([4.5, 4.5, 9.0, 13.5])
    assert found.stocks["level"].tolist() == pytest.approx([25, 15, 5, 0, 0])
    assert found.first_out == "Smelter"
    months = found.endurance.set_index("process")["months"]
    assert months["Mills"] == pytest.approx(2 / 3)  # 10 of 15 covered in the first month
    assert found.summary["unmet_without_stocks"].iloc[0] == pytest.approx(54.0)


def test_a_fast_stock_lasts_and_then_runs_out():
    kept = [{"process": "Smelter", "value": 25.0}]
    found = mfa.disrupt(chain(stockpiles=kept), CHILE)
    total = np.add(by_month(found, "Mills"), by_month(found, "Abroad"))
    assert total.tolist() == pytest.approx([0, 4.5, 13.5, 13.5], abs=1e-6)
    assert found.endurance.set_index("process")["months"]["Abroad"] == pytest.approx(5 / 3)
    assert found.endurance.set_index("process")["days"]["Abroad"] == pytest.approx(5 / 3 * 365 / 12)


def test_a_stock_in_days_is_days_of_intake():
    kept = [{"process": "Smelter", "days": 10.0}]
    found = mfa.disrupt(chain(stockpiles=kept), CHILE)
    assert found.stocks["level"].iloc[0] == pytest.approx(600 * 10 / 365)
    asked = mfa.disrupt(chain(), CHILE, stockpile_days=10)
    assert asked.stocks["level"].tolist() == pytest.approx(found.stocks["level"].tolist())


def test_a_stock_at_one_user_frees_metal_for_the_other():
    found = mfa.disrupt(chain(), CHILE, stockpile_days={"Mills": 12.0})
    size = 27 * 12 * 12 / 365
    assert found.summary["unmet"].iloc[0] == pytest.approx(54.0 - size)
    # in the first month the mills live on their stock, and only what that leaves open is short
    assert by_month(found, "Mills") == pytest.approx([0, 8.1, 8.1, 8.1], abs=1e-5)
    assert by_month(found, "Abroad") == pytest.approx([13.5 - size, 5.4, 5.4, 5.4], abs=1e-5)


def test_which_of_two_stocks_is_empty_first():
    kept = [
        {"process": "Smelter", "value": 12.0, "release_per_month": 0.5},
        {"process": "Mills", "value": 2.0},
    ]
    found = mfa.disrupt(chain(stockpiles=kept), CHILE)
    empty = found.stocks[found.stocks["level"] == 0].groupby("process")["month"].min()
    assert empty.to_dict() == {"Mills": 1, "Smelter": 2}
    assert found.first_out == "Mills"


def test_a_substitute_comes_late_and_not_beyond_what_is_missing():
    rule = [{"from": "Chile", "to": "p", "share": 0.2, "delay_months": 1.0}]
    found = mfa.disrupt(chain(substitutions=rule), CHILE)
    total = np.add(by_month(found, "Mills"), by_month(found, "Abroad"))
    assert total.tolist() == pytest.approx([13.5, 8.1, 8.1, 8.1])  # 6 of 15 from month 2 on
    little = mfa.disrupt(chain(substitutions=rule), CHILE | {"share": 0.1})
    peru = little.flows[little.flows["flow"] == "p"]["value"]
    assert peru.tolist() == pytest.approx([20, 23, 23, 23], abs=1e-5)


def test_a_capacity_limits_the_substitute():
    processes = [
        *PROCESSES,
        {"process": "Small", "capacity": 144.0, "capacity_substance": "Cu"},
    ]
    flows = [
        *FLOWS,
        {"flow": "q", "from": "Peru", "to": "Small", "value": 10.0},
        {"flow": "metal", "from": "Small", "to": "Mills", "value": 10.0},
    ]
    rule = [{"from": "c", "to": "q", "share": 1.0}]
    found = mfa.disrupt(build(processes, flows, substitutions=rule), CHILE)
    fed = found.flows[found.flows["flow"] == "q"]["value"]
    assert fed.tolist() == pytest.approx([12.0] * 4)  # 12 a month and no more
    assert found.summary["unmet"].iloc[0] == pytest.approx(4 * (13.5 - 2))


@pytest.mark.parametrize("target", [{"process": "Smelter"}, {"stage": "smelting"}])
def test_a_process_that_stops_in_part(target):
    found = mfa.disrupt(chain(), {**target, "share": 0.4, "months": 2.5})
    total = np.add(by_month(found, "Mills"), by_month(found, "Abroad"))
    assert total.tolist() == pytest.approx([18, 18, 9])  # half of the third month
    assert found.summary["put_aside"].iloc[0] == 0


def test_a_flow_and_two_losses_at_once():
    both = [
        {"flow": "c", "share": 0.5, "months": 1},
        {"country": "Peru", "share": 0.25, "months": 2},
    ]
    found = mfa.disrupt(chain(), both)
    total = np.add(by_month(found, "Mills"), by_month(found, "Abroad"))
    assert total.tolist() == pytest.approx([18.0, 4.5])


def test_scrap_that_comes_back_falls_too():
    processes = [
        {"process": "Mine", "kind": "import"},
        {"process": "Smelter"},
        {"process": "Factory", "stage": "manufacturing"},
        {"process": "Use", "stage": "use", "stock": "yes"},
    ]
    flows = [
        {"flow": "ore", "from": "Mine", "to": "Smelter", "value": 80.0},
        {"flow": "metal", "from": "Smelter", "to": "Factory", "value": 100.0},
        {"flow": "scrap", "from": "Factory", "to": "Smelter", "role": "new_scrap", "value": 20.0},
        {"flow": "goods", "from": "Factory", "to": "Use", "value": 80.0},
    ]
    balance = build(processes, flows)
    found = mfa.disrupt(balance, {"flow": "ore", "share": 0.5, "months": 1})
    # x = 40 + 0.2 x: 50 through the smelter
    assert by_month(found, "Smelter") == pytest.approx([50.0])
    assert by_month(found, "Use") == pytest.approx([40.0])
    # the smelter takes half: scrap of half the goods is put aside if it cannot be melted
    stopped = mfa.disrupt(balance, {"process": "Smelter", "share": 0.5, "months": 1})
    assert by_month(stopped, "Use") == pytest.approx([40.0])
    assert stopped.summary["put_aside"].iloc[0] == pytest.approx(0, abs=1e-6)


def test_origins_part_a_flow_among_countries_and_groups():
    origins = [
        {"flow": "c", "country": "Chile", "value": 70, "unit": "%"},
        {"flow": "c", "country": "Zambia", "value": 30, "unit": "%"},
        {"flow": "p", "country": "Zambia", "value": 1, "unit": "1"},
    ]
    groups = [{"country": "Zambia", "group": "Africa"}, {"country": "Chile", "group": "America"}]
    balance = chain(origins=origins, countries=groups)
    lost = {
        name: mfa.disrupt(balance, {"country": name, "months": 1}).summary["lost"].iloc[0]
        for name in ("Chile", "Zambia", "Africa")
    }
    assert lost == pytest.approx({"Chile": 21.0, "Zambia": 29.0, "Africa": 29.0})


def test_the_path_stops_where_flows_are_undetermined():
    processes = [*PROCESSES[:4], {"process": "Market"}, *PROCESSES[4:]]
    flows = [
        *FLOWS[:3],
        {"flow": "metal", "from": "Smelter", "to": "Market", "value": 45.0},
        {"flow": "home", "from": "Market", "to": "Mills", "value": None},
        {"flow": "out", "from": "Market", "to": "Abroad", "value": None},
    ]
    found = mfa.disrupt(build(processes, flows), CHILE)
    assert by_month(found, "Market") == pytest.approx([13.5] * 4)
    assert set(found.shortage["process"]) == {"Smelter", "Market"}
    assert found.summary["stopped_at"].iloc[0] == "Market"
    assert any("home, out are undetermined" in note for note in found.assumptions)


def test_what_is_lost_must_be_known():
    flows = [row | ({"value": None} if row["flow"] in ("c", "p") else {}) for row in FLOWS]
    with pytest.raises(mfa.MFAError, match=r"'c' of Cu in 2018 is undetermined.*measure c or p"):
        mfa.disrupt(build(PROCESSES, flows), CHILE)
    with pytest.raises(mfa.MFAError, match=r"'Smelter' has undetermined flows.*measure"):
        mfa.disrupt(build(PROCESSES, flows), {"process": "Smelter", "months": 1})


@pytest.mark.parametrize(
    ("shock", "words"),
    [
        ({"country": "Chili", "months": 1}, "no such country 'Chili'; did you mean 'Chile'"),
        ({"process": "Smeltr", "months": 1}, "did you mean 'Smelter'"),
        ({"flow": "x", "months": 1}, "no such flow 'x'"),
        ({"country": "Chile"}, "does not say how long"),
        ({"country": "Chile", "months": 0}, "impossible number of months"),
        ({"country": "Chile", "months": 1, "share": 1.2}, "not a share"),
        ({"country": "Chile", "flow": "c", "months": 1}, "names one of"),
        ({"months": 1}, "names one of"),
        ({"country": "Chile", "month": 1}, "did you mean 'months'"),
        ("strike", "has no shock 'strike'"),
        ({"process": "Slag", "months": 1}, "no flow of Cu in 2018 comes from the process 'Slag'"),
        ([], "the shock is empty"),
    ],
)
def test_shocks_that_cannot_be(shock, words):
    with pytest.raises(mfa.MFAError, match=words):
        mfa.disrupt(chain(), shock)


def test_the_shocks_of_the_workbook_by_name_and_in_turn():
    rows = [
        {"shock": "strike", "target": "country", "item": "Chile", "share": 0.5, "months": 4},
        {"shock": "both", "target": "flow", "item": "c", "share": 1.0, "months": 1, "year": 2018},
        {"shock": "both", "target": "country", "item": "Peru", "share": 0.5, "months": 2},
        {"shock": "unfinished", "target": "country", "item": "Peru", "share": 0.5, "months": None},
    ]
    balance = chain(shocks=rows)
    assert mfa.disrupt(balance, "strike").unmet == pytest.approx(54.0)
    found = disruptions(balance)
    assert [one.shock.name for one in found] == ["strike", "both"]
    assert found[1].unmet == pytest.approx((40 + 10) * 0.9)
    with pytest.raises(mfa.MFAError, match="is not whole"):
        mfa.disrupt(balance, "unfinished")


def test_what_days_of_stock_change():
    table = cover(chain(), CHILE, days=(0, 10, 1000))
    size = 600 * 10 / 365
    assert table["unmet"].tolist() == pytest.approx([54.0, 54.0 - 0.9 * size, 0.0], abs=1e-6)
    assert table["avoided"].tolist() == pytest.approx([0.0, 0.9 * size, 54.0], abs=1e-6)
    assert table["stock"].iloc[1] == pytest.approx(size)
    assert table["endurance_months"].tolist() == pytest.approx([0.0, size / 15, np.inf])


def test_uncertain_flows_make_the_unmet_demand_uncertain():
    # all of the ore is uncertain by 3 %; unmet = 0.9 × 0.5 × c × 4 months
    flows = [row | {"sd": 3.0 if row["flow"] == "c" else 0.0} for row in FLOWS]
    flows = [row | ({"value": None} if row["flow"] in ("home", "slag") else {}) for row in flows]
    rule = [{"coefficient": "slag", "flow": "slag", "value": 0.1, "sd": 0.0}]
    balance = build(PROCESSES, flows, coefficients=rule)
    found = mfa.disrupt(balance, CHILE, draws=400).summary.iloc[0]
    assert found["sd"] == pytest.approx(0.9 * 0.5 * 4 * 3 / 12, rel=0.12)
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * found["sd"])
    same = mfa.disrupt(balance, CHILE, draws=400).summary.iloc[0]
    assert same["sd"] == found["sd"]


def test_own_stock_stops_growing_before_anybody_runs_short():
    processes = [
        row | ({"stock": "yes"} if row["process"] == "Smelter" else {}) for row in PROCESSES
    ]
    flows = [row | ({"value": 34.0} if row["flow"] == "c" else {}) for row in FLOWS]
    found = mfa.disrupt(build(processes, flows), {"flow": "c", "share": 0.25, "months": 1})
    # 8.5 lost, of which 4 would have been added to the stock
    assert found.unmet == pytest.approx(0.9 * 4.5)
    assert any("stops doing so" in note for note in found.assumptions)


def test_a_stock_beside_the_path_is_said_to_be():
    processes = [*PROCESSES, {"process": "Far"}, {"process": "Fair", "kind": "export"}]
    flows = [
        *FLOWS,
        {"flow": "x", "from": "Peru", "to": "Far", "value": 3.0},
        {"flow": "y", "from": "Far", "to": "Fair", "value": 3.0},
    ]
    kept = [{"process": "Far", "value": 50.0}]
    rule = [{"from": "x", "to": "p", "share": 0.5}]
    found = mfa.disrupt(build(processes, flows, stockpiles=kept, substitutions=rule), CHILE)
    assert any("The stock at Far is not on the path" in note for note in found.assumptions)
    assert "Far" not in set(found.shortage["process"])
    assert found.unmet == pytest.approx(54.0)


def test_a_loss_that_is_lost_harms_nobody():
    found = mfa.disrupt(chain(), {"flow": "slag", "share": 0.0, "months": 2})
    assert found.unmet == 0
    none = mfa.disrupt(
        build(
            [{"process": "Mine", "kind": "import"}, {"process": "Dump", "kind": "sink"}],
            [{"flow": "x", "from": "Mine", "to": "Dump", "role": "loss", "value": 3.0}],
        ),
        {"flow": "x", "months": 2},
    )
    assert none.shortage.empty
    assert none.endurance.empty
    assert none.summary["unmet"].iloc[0] == 0
    assert "nothing runs short" in repr(none)


@pytest.mark.parametrize("seed", range(8))
def test_shocks_of_random_systems_have_an_answer_or_a_reason(seed):
    """Any flow of systems with loops, stocks and gaps: a result, or what to measure."""
    balance = mfa.reconcile(random_case(seed, Wishes(parts=1)).system())
    for flow in balance.system.flows["flow"].tolist()[:5]:
        loss = {"flow": flow, "share": 0.7, "months": 2}
        try:
            found = mfa.disrupt(balance, loss, draws=0, stockpile_days=5)
        except mfa.MFAError as error:
            assert "; measure" in str(error) or "has no row" in str(error)  # noqa: PT017
            continue
        scale = 1e-6 * max(1.0, found.flows["usual"].abs().max())
        row = found.summary.iloc[0]
        assert -scale <= row["unmet"] <= row["unmet_without_stocks"] + scale
        assert mfa.disrupt(balance, loss | {"share": 0.0}, draws=0).unmet <= scale
