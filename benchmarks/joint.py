"""Joint estimation of all years: 120 years, 60 flows, 10 end uses whose cohorts bind exactly.

A copper-like chain with trade at every stage feeds ten end uses; what leaves them is collected,
sorted and recycled. Every flow of the chain is measured in every year, the inflow of the uses, too;
of what leaves the uses only the last ten years of half of them, and one survey of each stock.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from measure import Row, measure, within

import mfa

YEARS = np.arange(1901, 2021)
USES = [f"Use{k}" for k in range(10)]
CV = 0.05
STAGES = ["Mining", "Milling", "Smelting", "Refining", "Casting", "Fabrication"]
SORTED = ["Wire", "Tube", "Brass", "Mixed", "Shredded"]


def topology() -> list[tuple[str, str, str]]:
    """Return id, from and to of the sixty flows."""
    flows = [("ore", "Ground", "Mining")]
    flows += [(f"{a}-{b}", a, b) for a, b in pairwise(STAGES)]
    for stage in STAGES[:-1]:
        flows += [(f"{stage} loss", stage, "Waste")]
    for stage in STAGES[1:]:
        flows += [(f"{stage} import", "Abroad in", stage), (f"{stage} export", stage, "Abroad out")]
    flows += [(f"into {use}", "Fabrication", use) for use in USES]
    flows += [(f"out of {use}", use, "Collection") for use in USES]
    flows += [("lost", "Collection", "Waste")]
    flows += [(f"to {kind}", "Collection", kind) for kind in SORTED]
    flows += [(f"{kind} recycled", kind, "Refining") for kind in SORTED]
    flows += [(f"{kind} wasted", kind, "Waste") for kind in SORTED]
    flows += [("scrap export", "Collection", "Abroad out"), ("new scrap", "Fabrication", "Casting")]
    return [*flows, ("direct", "Collection", "Casting")]


def truth(lives: list[mfa.Weibull]) -> pd.DataFrame:
    """Return flows by year that close every balance and follow the cohorts."""
    rng = np.random.default_rng(0)
    n = len(YEARS)
    grown = 20.0 * np.exp(0.03 * np.arange(n)) + 30.0
    x = {name: np.zeros(n) for name, _, _ in topology()}
    for k, life in enumerate(lives):
        wave = 1 + 0.2 * np.sin(np.arange(n) / (3 + k)) + 0.03 * rng.normal(size=n)
        inflow = grown * (k + 1) * wave
        opening = inflow[0] * float(life.years_in_use())
        left = opening * mfa.stocks.opening_shares(YEARS, life)
        stock = left + mfa.inflow_driven(YEARS, inflow, life, "spread").stock
        x[f"into {USES[k]}"] = inflow
        x[f"out of {USES[k]}"] = inflow - np.diff(stock, prepend=opening)
    gone = sum(x[f"out of {use}"] for use in USES)
    x["lost"], x["scrap export"], x["direct"] = 0.2 * gone, 0.1 * gone, 0.1 * gone
    shares = np.array([0.1, 0.15, 0.2, 0.25, 0.3])
    for kind, share in zip(SORTED, shares, strict=True):
        x[f"to {kind}"] = 0.6 * share * gone
        x[f"{kind} recycled"] = 0.85 * x[f"to {kind}"]
        x[f"{kind} wasted"] = 0.15 * x[f"to {kind}"]
    need = sum(x[f"into {use}"] for use in USES)
    x["new scrap"] = 0.1 * need
    extra = {"Fabrication": need + x["new scrap"], "Casting": -x["new scrap"] - x["direct"]}
    extra["Refining"] = -sum(x[f"{kind} recycled"] for kind in SORTED)
    down = np.zeros(n)
    for k in range(len(STAGES) - 1, -1, -1):
        stage = STAGES[k]
        out = down + extra.get(stage, 0.0)
        if stage != "Fabrication":
            x[f"{stage} loss"] = 0.03 * np.abs(down)
            out = out + x[f"{stage} loss"]
        if k:
            x[f"{stage} import"], x[f"{stage} export"] = 0.3 * down + 1 + k, 0.1 * down + 2 * k
            out = out + x[f"{stage} export"] - x[f"{stage} import"]
            x[f"{STAGES[k - 1]}-{stage}"] = out
        else:
            x["ore"] = out
        down = out
    return pd.DataFrame(x, index=YEARS)


def system() -> mfa.System:
    """Return the system with noisy data."""
    lives = [mfa.Weibull(mean=10.0 + 4 * k, sd=4.0 + 1.5 * k) for k in range(10)]
    flows, real = topology(), truth(lives)
    rng = np.random.default_rng(1)
    data = pd.DataFrame(flows, columns=["flow", "from", "to"]).merge(
        pd.DataFrame({"year": YEARS}), how="cross"
    )
    pairs = zip(data["flow"], data["year"], strict=True)
    data["real"] = [real.at[year, flow] for flow, year in pairs]
    data["value"] = data["real"] * (1 + CV * rng.normal(size=len(data)))
    data["sd"] = CV * data["real"]
    late = data["flow"].isin([f"out of {use}" for use in USES[::2]]) & (data["year"] > 2010)
    blank = data["flow"].str.startswith("out of") & ~late
    data.loc[blank, ["value", "sd"]] = np.nan
    ends = dict.fromkeys([name for _, a, b in flows for name in (a, b)])
    kinds = {"Ground": "source", "Abroad in": "import", "Abroad out": "export", "Waste": "sink"}
    levels = []
    for k, (use, life) in enumerate(zip(USES, lives, strict=True)):
        opening = real[f"into {use}"].iloc[0] * float(life.years_in_use())
        change = (real[f"into {use}"] - real[f"out of {use}"]).cumsum()
        value = opening + change.loc[2005 + k]
        levels.append([use, 2005 + k, "level", value * (1 + 0.1 * rng.normal()), 0.1 * value])
    return mfa.System.from_tables(
        {
            "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
            "processes": pd.DataFrame(
                {
                    "process": list(ends),
                    "kind": [kinds.get(name) for name in ends],
                    "stock": ["yes" if name in USES else None for name in ends],
                }
            ),
            "flows": data.drop(columns="real"),
            "stocks": pd.DataFrame(levels, columns=["process", "year", "quantity", "value", "sd"]),
            "lifetimes": pd.DataFrame(
                {
                    "process": USES,
                    "distribution": "weibull",
                    "mean": [float(life.mean) for life in lives],
                    "sd": [float(life.sd) for life in lives],
                }
            ),
        }
    )


def rows(folder: Path) -> list[Row]:
    """Return the estimate, the sd of one result, and that of all."""
    ready = "import joint, mfa; s = joint.system()"
    first = "b = mfa.reconcile(s); v = b.values"
    size = f"{len(YEARS)} years × {len(topology())} flows × {len(USES)} end uses"
    found = measure(ready, first, folder)
    one = measure(f"{ready}; {first}", "b.covariance([('into Use3', 1950)])", folder)
    soft = measure(ready, "b = mfa.reconcile(s, survival='soft'); v = b.values", folder)
    return [
        within(f"mfa: {size}, values and statuses, exact cohorts", found, 5.0),
        Row("sd of one inflow of 1950, thereafter", one),
        Row("values and statuses, soft cohorts", soft, note="an exact pass first"),
    ]
