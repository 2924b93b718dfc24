"""A small copper works, every number of it worked out by hand.

One year, kt/yr: ore → Plant → metal and slag; metal → Shop → goods and stock; a Shed whose outflows
nobody measures; and three flows past everything, known from observations only.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mfa

from .cases import Case, flow, processes

CASE = Case(
    processes("Plant", "Shop", "Shed", stocks=("Shop",)),
    flows=[
        # Plant: ore = metal + slag. 100 − 90 − 4 = 6 too much; variances 9, 4 and 0.
        flow("ore", "Mine", "Plant", value=100.0, sd=3.0),
        flow("metal", "Plant", "Shop", value=90.0, sd=2.0),
        flow("slag", "Plant", "Market", value=4.0, sd=0.0),
        # Shop: metal = goods + change of stock. Nobody measures goods.
        flow("goods", "Shop", "Market"),
        # Shed: heap = left + taken. Heap is measured, how it parts is not.
        flow("heap", "Mine", "Shed", value=10.0, sd=1.0),
        flow("left", "Shed", "Market"),
        flow("taken", "Shed", "Market", max=7.0),
        # Two ways past everything: what both carry is measured, and one of them is known exactly.
        flow("rail", "Mine", "Market"),
        flow("road", "Mine", "Market"),
        # A printed number that is known to be wrong.
        flow("export", "Mine", "Market", value=50.0, sd=1.0, include="no"),
    ],
    stocks=[
        {"process": "Shop", "substance": "Cu", "year": 2018, "quantity": "change"}
        | {"value": 20.0, "sd": 1.5},
    ],
    observations=[
        {"observation": "both", "flow": "rail", "factor": 1.0, "substance": "Cu", "year": 2018}
        | {"value": 12.0, "sd": 0.5, "relation": "="},
        {"observation": "both", "flow": "road", "factor": 1.0, "substance": "Cu", "year": 2018},
        {"observation": "road count", "flow": "road", "factor": 2.0, "substance": "Cu"}
        | {"year": 2018, "value": 10.0, "sd": 0.0, "relation": "="},
        {"observation": "export again", "flow": "export", "factor": 1.0, "substance": "Cu"}
        | {"year": 2018, "value": 44.0, "sd": 2.0, "relation": "="},
    ],
)

# Plant: λ = 6 / (9 + 4). ore = 100 − 9 λ, metal = 90 + 4 λ; var = 9·4/13 for both.
ORE, METAL = 100.0 - 54.0 / 13.0, 90.0 + 24.0 / 13.0
PLANT_SD = np.sqrt(36.0 / 13.0)
FLOWS = {
    "ore": (ORE, PLANT_SD, "reconciled"),
    "metal": (METAL, PLANT_SD, "reconciled"),
    "slag": (4.0, 0.0, "fixed"),
    "goods": (METAL - 20.0, np.sqrt(36.0 / 13.0 + 2.25), "calculated"),
    "heap": (10.0, 1.0, "measured"),
    "left": (np.nan, np.nan, "undetermined"),
    "taken": (np.nan, np.nan, "undetermined"),
    "rail": (12.0 - 5.0, 0.5, "measured"),  # within an observation
    "road": (10.0 / 2.0, 0.0, "fixed"),  # by an exact observation of it alone
    "export": (44.0, 2.0, "measured"),  # by the second source alone
}


@pytest.fixture(scope="module")
def balance() -> mfa.Balance:
    return mfa.reconcile(CASE.system())


@pytest.fixture(scope="module")
def flows(balance: mfa.Balance) -> pd.DataFrame:
    return balance.flows.set_index("flow")


@pytest.mark.parametrize("name", FLOWS)
def test_flow(flows: pd.DataFrame, name: str) -> None:
    value, sd, status = FLOWS[name]
    row = flows.loc[name]
    assert row["status"] == status
    np.testing.assert_allclose([row["value"], row["sd"]], [value, sd], rtol=1e-12, atol=1e-12)


def test_ranges(flows: pd.DataFrame) -> None:
    """10 parts into left ≥ 0 and taken ≤ 7; goods within 1.96 sd."""
    assert flows.loc["taken", ["low", "high"]].tolist() == pytest.approx([0.0, 7.0])
    assert flows.loc["left", ["low", "high"]].tolist() == pytest.approx([3.0, 10.0])
    value, sd, _ = FLOWS["goods"]
    wanted = [value - 1.96 * sd, value + 1.96 * sd]
    assert flows.loc["goods", ["low", "high"]].tolist() == pytest.approx(wanted)


def test_adjustments(flows: pd.DataFrame) -> None:
    wanted = {"ore": (ORE - 100.0) / 3.0, "metal": (METAL - 90.0) / 2.0, "heap": 0.0}
    for name, adjustment in wanted.items():
        assert flows.at[name, "adjustment"] == pytest.approx(adjustment, abs=1e-12)
    assert flows.loc[["slag", "goods", "left"], "adjustment"].isna().all()
    assert flows.at["export", "adjustment"] == pytest.approx(44.0 - 50.0)  # shown, not used


def test_stock(balance: mfa.Balance) -> None:
    """The change is measured and nothing checks it; how much there is nobody knows."""
    rows = balance.stocks.set_index("quantity")
    change, level = rows.loc["change"], rows.loc["level"]
    assert (change["value"], change["sd"], change["status"]) == (20.0, 1.5, "measured")
    assert level["status"] == "undetermined"
    assert level["low"] == pytest.approx(20.0)  # at least what came in since the year before
    assert np.isnan(level["high"])


def test_global_test(balance: mfa.Balance) -> None:
    """One balance checks data: χ² = 6²/13, p = erfc(√(χ²/2))."""
    assert balance.chi2 == pytest.approx(36.0 / 13.0)
    assert balance.dof == 1
    assert balance.p_value == pytest.approx(0.0960923)
    assert not balance.is_approximate


def test_suspects(balance: mfa.Balance) -> None:
    """z = ±6/√13 for both data of the one check, and for the leak; p ≥ 0.05, so none has to go."""
    suspects = balance.suspects
    assert suspects[["kind", "item"]].to_numpy().tolist() == [
        ["datum", "metal"],
        ["datum", "ore"],
        ["leak", "Plant"],
    ]
    z = 6.0 / np.sqrt(13.0)
    assert suspects["z"].tolist() == pytest.approx([-z, z, z])
    assert suspects["p_value"].tolist() == pytest.approx([0.0960923] * 3)
    assert suspects["same_as"].tolist() == ["ore", "metal", ""]
    assert suspects["observed"].tolist()[:2] == [90.0, 100.0]
    assert suspects["change"].tolist() == pytest.approx([6.0, -6.0, 6.0])
    assert suspects["quantity"].tolist() == ["flow", "flow", "balance"]
    # 100 − 4 of metal, or 90 + 4 of ore, or 6 that leave unseen
    assert suspects["should_be"].tolist() == pytest.approx([96.0, 94.0, 6.0])


def test_detectable(flows: pd.DataFrame) -> None:
    """An error of 1.96 √13 in either datum would show."""
    seen = flows["detectable"].dropna()
    assert sorted(seen.index) == ["metal", "ore"]
    assert seen.tolist() == pytest.approx([1.959964 * np.sqrt(13.0)] * 2)


def test_processes(balance: mfa.Balance) -> None:
    rows = balance.processes.set_index("process")
    plant, shop, shed = (rows.loc[name] for name in ("Plant", "Shop", "Shed"))
    assert plant["residual_before"] == pytest.approx(6.0)
    assert plant["residual_z"] == pytest.approx(6.0 / np.sqrt(13.0))
    assert plant["throughput"] == pytest.approx(ORE)
    assert plant["imbalance"] == pytest.approx(6.0)
    assert plant["imbalance_sd"] == pytest.approx(np.sqrt(13.0))
    assert plant["nodal_p"] == pytest.approx(0.0960923)
    assert rows.loc[["Shop", "Shed"], "nodal_z"].isna().all()  # merged with the outside
    assert shop["stock_change"] == pytest.approx(20.0)
    assert shop["outputs"] == pytest.approx(METAL - 20.0)
    assert shed["inputs"] == pytest.approx(10.0)
    assert rows.loc[["Shop", "Shed"], "residual_before"].isna().all()
    assert (rows["residual"].abs() < 1e-12).all()


def test_observations(balance: mfa.Balance) -> None:
    rows = balance.observations.set_index("observation")
    assert rows["value"].to_dict() == pytest.approx(
        {"both": 12.0, "road count": 10.0, "export again": 44.0}
    )
    assert rows["status"].to_dict() == {
        "both": "measured",
        "road count": "fixed",
        "export again": "measured",
    }


def test_covariance(balance: mfa.Balance) -> None:
    """Ore and metal move together; goods with metal; rail with neither."""
    found = balance.covariance(["ore", "metal", "goods", "rail", "left"]).to_numpy()
    v = 36.0 / 13.0
    wanted = np.array([[v, v, v, 0], [v, v, v, 0], [v, v, v + 2.25, 0], [0, 0, 0, 0.25]])
    np.testing.assert_allclose(found[:4, :4], wanted, atol=1e-12)
    assert np.isnan(found[4]).all()


def test_excluded(balance: mfa.Balance) -> None:
    """The number left out stands 6 above the result: z = 6/√(1² + 2²)."""
    row = balance.excluded.iloc[0]
    assert row["item"] == "export"
    assert row["quantity"] == "flow"
    assert row["z"] == pytest.approx(6.0 / np.sqrt(5.0))
