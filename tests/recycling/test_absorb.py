"""Mixtures through loops of every kind: small factors, sweeps and GMRES against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from mfa.errors import BalanceError
from mfa.recycling import absorb as module
from mfa.recycling.absorb import absorb

K = 4


def network(kind: str, n: int, seed: int, leak: float = 0.3) -> tuple[sp.csr_array, np.ndarray]:
    """Return what processes take in of each other and of sources; about ``leak`` of it is fresh."""
    rng = np.random.default_rng(seed)
    if kind == "layered":
        head = np.repeat(np.arange(10, n), 3)
        tail = np.maximum(head - rng.integers(1, 10, len(head)), 0)
        back = rng.integers(0, n, (2, n // 20))
        head, tail = np.append(head, back.min(axis=0)), np.append(tail, back.max(axis=0))
    else:
        tail, head = rng.integers(0, n, (2, 4 * n))
    keep = tail != head
    mass = rng.lognormal(0.0, 1.0, keep.sum())
    passes = sp.csr_array(sp.coo_array((mass, (head[keep], tail[keep])), shape=(n, n)))
    fresh = np.zeros((n, K))
    fed = rng.choice(n, max(n // 10, 1), replace=False)
    fresh[fed, rng.integers(0, K - 1, len(fed))] = leak * rng.lognormal(0.0, 1.0, len(fed))
    if kind == "layered":
        fresh[:10, 1] = 1.0 + np.arange(10)
    return passes, fresh


def dense(passes: sp.csr_array, fresh: np.ndarray) -> np.ndarray:
    """Solve for what is fed; the rest is unknown."""
    taken = passes.toarray()
    fed = fresh.any(axis=1)
    while True:
        more = fed | (taken[:, fed] > 0).any(axis=1)
        if (more == fed).all():
            break
        fed = more
    right = fresh.copy()
    matrix = np.diag(taken.sum(axis=1) + fresh.sum(axis=1)) - taken
    matrix[~fed], right[~fed] = np.eye(len(fed))[~fed], np.eye(K)[-1]
    return np.linalg.solve(matrix, right)


@pytest.mark.parametrize("kind", ["layered", "random"])
@pytest.mark.parametrize("leak", [0.3, 1e-3, 1e-6])
@pytest.mark.parametrize("small", [0, 10_000])
def test_as_dense_algebra(
    kind: str, leak: float, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A factor (loops of any size are small) and sweeps (none is) give the same."""
    monkeypatch.setattr(module, "_SMALL", small)
    for seed in range(3):
        passes, fresh = network(kind, 240, seed, leak)
        found = absorb(passes, fresh)
        assert found == pytest.approx(dense(passes, fresh), abs=1e-9)
        assert found.sum(axis=1) == pytest.approx(np.ones(240), abs=1e-13)


def test_sweeps_take_gmres_where_they_gain_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALL", 0)
    called = []
    slow = module._accelerated
    monkeypatch.setattr(module, "_accelerated", lambda *a: called.append(1) or slow(*a))
    passes, fresh = network("random", 240, 1, 1e-6)
    assert absorb(passes, fresh) == pytest.approx(dense(passes, fresh), abs=1e-9)
    assert called


def test_a_factor_steps_in_where_sweeps_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALL", 0)
    monkeypatch.setattr(module, "_accelerated", lambda *a: a[-1])
    passes, fresh = network("random", 240, 1, 1e-6)
    assert absorb(passes, fresh) == pytest.approx(dense(passes, fresh), abs=1e-9)


def test_a_loop_that_nothing_enters_is_an_error_or_unknown() -> None:
    """What rounding feeds a loop says nothing; what next to nothing feeds cannot be told."""
    loop = sp.csr_array(np.array([[0.0, 5.0], [5.0, 0.0]]))
    nothing = np.zeros((2, K))
    assert absorb(loop, nothing)[:, -1] == pytest.approx([1.0, 1.0])
    nothing[0, 1] = 1e-15
    assert absorb(loop, nothing)[:, -1] == pytest.approx([1.0, 1.0])
    nothing[0, 1] = 1e-3
    assert absorb(loop, nothing)[:, 1] == pytest.approx([1.0, 1.0])


def test_an_answer_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_error", lambda *_: 1.0)
    with pytest.raises(BalanceError, match="round"):
        absorb(*network("layered", 40, 0))


def test_no_process_no_share() -> None:
    assert absorb(sp.csr_array((0, 0)), np.zeros((0, K))).shape == (0, K)
