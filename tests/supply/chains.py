"""Small supply chains for tests, all flows exact; and what is short in them another way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import linprog

import mfa

Rows = list[dict[str, object]]


def build(processes: Rows, flows: Rows, unit: str = "kt/yr", **sheets: Rows) -> mfa.Balance:
    """Return the balance of tables; flows are by month and stand in them by year."""
    settings = {"unit": unit, "substances": "Cu"}
    yearly = [
        {"year": 2018, "sd": 0.0}
        | row
        | {"value": None if row["value"] is None else 12 * row["value"]}
        for row in flows
    ]
    tables = {
        "system": pd.DataFrame({"key": list(settings), "value": list(settings.values())}),
        "processes": pd.DataFrame(processes),
        "flows": pd.DataFrame(yearly),
        **{name: pd.DataFrame(rows) for name, rows in sheets.items() if rows},
    }
    return mfa.reconcile(mfa.System.from_tables(tables))


PROCESSES: Rows = [
    {"process": "Chile", "kind": "import"},
    {"process": "Peru", "kind": "import"},
    {"process": "Smelter", "stage": "smelting"},
    {"process": "Slag", "kind": "sink", "stage": "disposal"},
    {"process": "Mills", "kind": "process", "stage": "use", "stock": "yes"},
    {"process": "Abroad", "kind": "export"},
]
FLOWS: Rows = [
    {"flow": "c", "from": "Chile", "to": "Smelter", "value": 30.0},
    {"flow": "p", "from": "Peru", "to": "Smelter", "value": 20.0},
    {"flow": "slag", "from": "Smelter", "to": "Slag", "role": "loss", "value": 5.0},
    {"flow": "home", "from": "Smelter", "to": "Mills", "value": 27.0},
    {"flow": "out", "from": "Smelter", "to": "Abroad", "value": 18.0},
]


def chain(**sheets: Rows) -> mfa.Balance:
    """Return two mines, one smelter that loses a tenth as slag, and two users."""
    return build(PROCESSES, FLOWS, **sheets)


def by_month(found: mfa.Disruption, process: str) -> list[float]:
    """Return the shortage of a process by month."""
    own = found.shortage[found.shortage["process"] == process]
    return own.sort_values("month")["shortage"].tolist()


@dataclass
class Layers:
    """A random chain in layers: mines, smelters with losses, markets, users; by month."""

    mines: dict[tuple[int, int], float]
    lost: list[float]
    metal: dict[tuple[int, int], float]
    goods: dict[tuple[int, int], float]
    stocks: dict[str, tuple[float, float]] = field(default_factory=dict)

    def balance(self, unit: str = "kt/yr", scale: float = 1.0, flip: bool = False) -> mfa.Balance:
        """Return the balance, with its rows in another order if wished."""
        flows: Rows = []
        for (i, j), x in self.mines.items():
            flows.append({"flow": f"o{i}{j}", "from": f"M{i}", "to": f"S{j}", "value": x})
        for j, share in enumerate(self.lost):
            fed = sum(x for (_, at), x in self.mines.items() if at == j)
            row = {"flow": f"l{j}", "from": f"S{j}", "to": "X", "role": "loss"}
            flows.append(row | {"value": share * fed})
        for (j, k), x in self.metal.items():
            flows.append({"flow": f"m{j}{k}", "from": f"S{j}", "to": f"T{k}", "value": x})
        for (k, u), x in self.goods.items():
            flows.append({"flow": f"g{k}{u}", "from": f"T{k}", "to": f"U{u}", "value": x})
        for row in flows:
            row["value"] = scale * float(str(row["value"]))
        names = sorted({str(row[end]) for row in flows for end in ("from", "to")})
        kinds = {"M": "import", "X": "sink", "U": "export"}
        stages = {"X": "disposal", "S": "smelting", "T": "trade"}
        processes: Rows = [
            {"process": name, "kind": kinds.get(name[0]), "stage": stages.get(name[0])}
            for name in names
        ]
        kept: Rows = [
            {"process": name, "value": scale * size, "unit": unit[:-3], "release_per_month": share}
            for name, (size, share) in self.stocks.items()
        ]
        if flip:
            processes, flows, kept = processes[::-1], flows[::-1], kept[::-1]
        return build(processes, flows, unit, stockpiles=kept)


def random_layers(seed: int) -> Layers:
    """Return a random chain; every smelter and market is reached, nothing is symmetric."""
    rng = np.random.default_rng(seed)
    n_mines, n_smelters, n_markets, n_users = rng.integers([2, 1, 1, 2], [5, 4, 3, 5])
    mines = {(i, int(i) % n_smelters): rng.uniform(5, 40) for i in range(n_mines)}
    for j in range(n_smelters):
        mines[int(rng.integers(n_mines)), j] = rng.uniform(5, 40)
    lost = rng.uniform(0.0, 0.3, n_smelters).round(3).tolist()
    metal: dict[tuple[int, int], float] = {}
    for j in range(n_smelters):
        fed = sum(x for (_, at), x in mines.items() if at == j)
        parts = rng.dirichlet(np.ones(n_markets)) * fed * (1 - lost[j])
        metal |= {(j, k): float(part) for k, part in enumerate(parts)}
    goods: dict[tuple[int, int], float] = {}
    for k in range(n_markets):
        has = sum(x for (_, at), x in metal.items() if at == k)
        users = rng.choice(n_users, size=int(rng.integers(1, n_users + 1)), replace=False)
        parts = rng.dirichlet(np.ones(len(users))) * has
        goods |= {(k, int(u)): float(part) for u, part in zip(users, parts, strict=True)}
    names = [f"S{j}" for j in range(n_smelters)] + [f"T{k}" for k in range(n_markets)]
    some = rng.choice(names, size=int(rng.integers(0, 3)) % (len(names) + 1), replace=False)
    stocks = {str(n): (float(rng.uniform(2, 60)), float(rng.uniform(0.1, 1.0))) for n in some}
    return Layers(mines, lost, metal, goods, stocks)


def routes(layers: Layers) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """Yield every way to a user: origin, flows on the way, and what is left of a unit."""
    for k, u in layers.goods:
        yield f"T{k}", (f"g{k}{u}",), 1.0
        for j, at in layers.metal:
            if at != k:
                continue
            left = 1 - layers.lost[j]
            yield f"S{j}", (f"m{j}{k}", f"g{k}{u}"), left
            for i, to in layers.mines:
                if to == j:
                    yield f"o{i}{j}", (f"o{i}{j}", f"m{j}{k}", f"g{k}{u}"), left


def least_unmet(layers: Layers, mine: int, share: float, months: int) -> tuple[float, float]:
    """Return the least unmet demand when a mine fails, and the least Σ (months − t) × unmet then.

    By routes instead of flows: how much goes each way from a mine or a stock, in every month.
    """
    ways = [way for way in routes(layers) if way[0] in layers.stocks or way[0].startswith("o")]
    usual = {f"o{i}{j}": x for (i, j), x in layers.mines.items()}
    usual |= {f"m{j}{k}": x for (j, k), x in layers.metal.items()}
    usual |= {f"g{k}{u}": x for (k, u), x in layers.goods.items()}
    failed = {f"o{i}{j}" for i, j in layers.mines if i == mine}
    n = len(ways)
    rows, right = [], []
    for month in range(months):
        for flow, x in usual.items():
            row = np.zeros(n * months)
            for w, (_, flows, left) in enumerate(ways):
                if flow in flows:
                    row[month * n + w] = 1.0 if flow.startswith("o") else left
            rows.append(row)
            right.append(x * (1 - share) if flow in failed else x)
        for name, (size, part) in layers.stocks.items():
            row = np.zeros(n * months)
            row[month * n : (month + 1) * n] = [float(origin == name) for origin, _, _ in ways]
            rows.append(row)
            right.append(size * part)
    for name, (size, _) in layers.stocks.items():
        rows.append(np.tile([float(origin == name) for origin, _, _ in ways], months))
        right.append(size)
    delivered = np.tile([left for _, _, left in ways], months)
    demand = sum(layers.goods.values())
    best = linprog(-delivered, A_ub=np.array(rows), b_ub=right)
    most = -best.fun
    weight = np.repeat(np.arange(months, 0, -1), n) * delivered
    again = linprog(-weight, A_ub=np.array([*rows, -delivered]), b_ub=[*right, -most + 1e-9])
    early = demand * months * (months + 1) / 2 + again.fun
    return demand * months - most, early
