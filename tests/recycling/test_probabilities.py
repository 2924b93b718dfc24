"""Probability that a loss is the worst: closed form for two, independent sampling for more."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import mfa
from mfa.balance import reconcile
from mfa.recycling import bottlenecks

from . import byhand
from .cycles import Number, cycle_of, process, system_of

TWO = cycle_of(
    (
        process("homes", "use", stock=True),
        process("yard", "collection"),
        process("sorter", "sorting"),
        process("smelter", "smelting"),
        process("buyers", kind="export"),
        process("dump", kind="sink"),
    ),
    (
        ("discarded", "homes", "yard", "end_of_life"),
        ("burnt", "yard", "dump", "loss"),
        ("sold", "yard", "sorter", "old_scrap"),
        ("fluff", "sorter", "dump", "loss"),
        ("clean", "sorter", "smelter", "old_scrap"),
        ("metal", "smelter", "buyers", "refined"),
    ),
)
DATA: dict[str, Number] = {"discarded": (100.0, 4.0), "sold": (79.0, 3.0), "clean": (60.0, 5.0)}


def test_two_losses_in_closed_form() -> None:
    """Both losses hang on what is sold, in opposite directions: P(d > 0) = Φ(mean / sd).

    d = burnt − fluff = discarded − 2 sold + clean.
    """
    table = bottlenecks(reconcile(system_of(TWO, DATA)), draws=100_000).set_index("item")
    mean, sd = 100 - 2 * 79 + 60, np.sqrt(4**2 + (2 * 3) ** 2 + 5**2)
    assert table["value"]["yard"] - table["value"]["sorter"] == pytest.approx(mean)
    assert table["probability"]["yard"] == pytest.approx(norm.cdf(mean / sd), abs=0.006)
    assert table["probability"]["sorter"] == pytest.approx(norm.cdf(-mean / sd), abs=0.006)
    assert table["below_zero"]["yard"] == pytest.approx(norm.cdf(-21 / 5), abs=0.001)


def test_more_losses_against_sampling_of_the_covariance() -> None:
    """Three losses; draws by another factor and another seed, from the flows of each."""
    balance = byhand.balance(
        dict(byhand.DATA) | {"slag": (30.0, 12.0), "sweepings": (25.0, 14.0), "burnt": (31.0, 9.0)}
    )
    flows = ["burnt", "buried", "slag", "sweepings"]
    mean = balance.flows.set_index("flow").loc[flows, "value"].to_numpy()
    spread = balance.covariance(flows).to_numpy()
    rng = np.random.default_rng(99)
    draws = rng.multivariate_normal(mean, spread, size=200_000, method="svd")
    losses = np.column_stack([draws[:, 0] + draws[:, 1], draws[:, 2], draws[:, 3]])
    table = bottlenecks(balance, draws=100_000).set_index("item")
    for k, item in enumerate(("yard", "smelter", "market")):
        expected = (losses.argmax(axis=1) == k).mean()
        assert table["probability"][item] == pytest.approx(expected, abs=0.006)
    assert table["probability"].sum() == pytest.approx(1.0)


def test_draws_below_zero_are_counted_and_never_the_worst() -> None:
    """One poor loss that is all there is: it is the worst where it is one at all."""
    data: dict[str, Number] = {"discarded": (10.0, 6.0), "sold": (4.0, 3.0), "clean": (4.0, 3.0)}
    data |= {"fluff": (0.0, 0.0)}
    row = bottlenecks(reconcile(system_of(TWO, data)), draws=50_000).set_index("item").loc["yard"]
    chance = norm.cdf(-row["value"] / row["sd"])
    assert chance > 0.05
    assert row["below_zero"] == pytest.approx(chance, abs=0.006)
    assert row["probability"] == pytest.approx(1 - chance, abs=0.006)


def test_blank_where_an_unknown_loss_may_be_the_worst() -> None:
    known: dict[str, Number] = {"discarded": (100.0, 4.0)}
    table = bottlenecks(reconcile(system_of(TWO, known)))
    assert table["probability"].isna().all()
    assert set(table["kind"]) == {"missing data"}
    assert (table["rank_best"] == 1).all()


def test_an_unknown_loss_that_is_small_leaves_the_others_theirs() -> None:
    columns = {"fluff": {"max": 2.0}, "metal": {"max": 200.0}}
    known: dict[str, Number] = {"discarded": (100.0, 1.0), "sold": (60.0, 1.0)}
    table = bottlenecks(reconcile(system_of(TWO, known, columns))).set_index("item")
    assert np.isnan(table["value"]["sorter"])
    assert np.isnan(table["probability"]["sorter"])
    assert table["probability"]["yard"] == 1.0
    assert table["kind"].to_dict() == {"yard": "collection system", "sorter": "missing data"}


def test_draws_and_seed() -> None:
    balance = byhand.balance(dict(byhand.DATA) | {"slag": (45.0, 12.0)})
    one, same, other = (bottlenecks(balance, draws=500, seed=seed) for seed in (1, 1, 2))
    assert one["probability"].equals(same["probability"])
    assert not one["probability"].equals(other["probability"])
    with pytest.raises(mfa.MFAError, match="0 draws"):
        bottlenecks(balance, draws=0)


def test_shares_and_classes() -> None:
    table = bottlenecks(byhand.balance()).set_index("item")
    assert table["share_of_end_of_life"]["yard"] == pytest.approx(49 / 211)
    assert table["kind"].to_dict() == {
        "yard": "collection system",
        "smelter": "process yield",
        "market": "process yield",
    }


def test_the_graph_carries_losses_and_ranks() -> None:
    balance = byhand.balance(dict(byhand.DATA))
    edges = {key: edge for *_, key, edge in balance.graph.edges(keys=True, data=True)}
    ranks = {key: e["bottleneck_rank"] for key, e in edges.items() if e["loss"] != 0}
    assert ranks == {"burnt": 1, "buried": 1, "slag": 2, "sweepings": 3}
    assert edges["slag"]["loss"] == pytest.approx(19)
    assert edges["slag"]["role"] == "loss"
    assert (edges["ore"]["loss"], edges["ore"]["bottleneck_rank"]) == (0.0, None)
    unknown = reconcile(system_of(TWO, {"discarded": (100.0, 4.0)}))
    edges = {key: edge for *_, key, edge in unknown.graph.edges(keys=True, data=True)}
    assert np.isnan(edges["burnt"]["loss"])
    assert edges["burnt"]["bottleneck_rank"] in (1, 2)
