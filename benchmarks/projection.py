"""Projections: the copper case to 2040, and 60 flows with 10 end uses that age over 120 years.

The large system is that of the joint estimation in its last year: a chain with trade at every
stage, ten uses with a lifetime each, and scrap that comes back. Demand grows, more is collected,
and one use lasts longer.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from joint import SORTED, STAGES, USES, YEARS, topology, truth
from measure import ROOT, Row, measure, within

import mfa

UNTIL = 2140
_STAGE = dict(
    zip(STAGES, ["mining", "mining", "smelting", "refining", *["fabrication"] * 2], strict=True)
)


def role(name: str, head: str) -> str:
    """Return what a flow of the large system counts as."""
    if name.endswith((" loss", " wasted")) or name == "lost":
        return "loss"
    if name.startswith("into "):
        return "product"
    if name.startswith("out of "):
        return "end_of_life"
    if name == "new scrap":
        return "new_scrap"
    if name.startswith("to ") or name in {"direct", "scrap export"}:
        return "old_scrap"
    if name.endswith(" recycled"):
        return "scrap"
    return "refined" if head in {"Casting", "Fabrication"} else "primary"


def system() -> mfa.System:
    """Return the large system, exact in its last year."""
    lives = [mfa.Weibull(mean=10.0 + 4 * k, sd=4.0 + 1.5 * k) for k in range(len(USES))]
    flows, real = topology(), truth(lives)
    last = int(YEARS[-1])
    ends = list(dict.fromkeys(name for _, a, b in flows for name in (a, b)))
    kinds = {"Ground": "source", "Abroad in": "import", "Abroad out": "export", "Waste": "sink"}
    stages = {**_STAGE, **dict.fromkeys(USES, "use"), "Collection": "collection"}
    stages |= dict.fromkeys(SORTED, "sorting")
    data = [(name, a, b, role(name, b), last, real.at[last, name], 0.0) for name, a, b in flows]
    changes = [("flow", f"into {use}", last + 60, "multiply", 2.0, "exponential") for use in USES]
    changes += [
        ("coefficient", "collection", last + 20, "set", 0.9, "linear"),
        ("lifetime", USES[0], last + 10, "set", 14.0, "step"),
    ]
    columns = ["target", "item", "year", "change", "value", "interpolation"]
    return mfa.System.from_tables(
        {
            "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
            "processes": pd.DataFrame(
                {
                    "process": ends,
                    "kind": [kinds.get(name) for name in ends],
                    "stage": [stages.get(name) for name in ends],
                    "stock": ["yes" if name in USES else None for name in ends],
                }
            ),
            "flows": pd.DataFrame(
                data, columns=["flow", "from", "to", "role", "year", "value", "sd"]
            ),
            "lifetimes": pd.DataFrame(
                {
                    "process": USES,
                    "distribution": "weibull",
                    "mean": [float(life.mean) for life in lives],
                    "sd": [float(life.sd) for life in lives],
                    "growth": 0.03,
                }
            ),
            "scenarios": pd.DataFrame(changes, columns=columns).assign(scenario="more"),
        }
    )


def rows(folder: Path) -> list[Row]:
    """Return projections, their tables, and a search for a target."""
    copper = str(ROOT / "flows" / "copper-japan")
    ready = f"import mfa; b = mfa.reconcile(mfa.read_tables({copper!r}))"
    run = "f = mfa.project(b, 'STEPS', 2040); f.flows, f.stocks, f.end_uses"
    short = measure(ready, run, folder)
    rates = measure(f"{ready}; {run}", "f.indicators", folder)
    world = str(ROOT / "flows" / "copper-world")
    seek = measure(
        f"import mfa; b = mfa.reconcile(mfa.read_tables({world!r}))",
        "mfa.solve_for(b, 'STEPS', 'collection', 'eol_recycling_rate', 0.8, 2030)",
        folder,
    )
    large = "import projection, mfa; b = mfa.reconcile(projection.system())"
    years = f"f = mfa.project(b, 'more', {UNTIL}); f.flows, f.stocks, f.ages, f.end_uses"
    size = f"{UNTIL - int(YEARS[-1])} years × {len(topology())} flows × {len(USES)} end uses"
    long = measure(large, years, folder)
    return [
        within("`copper-japan` to 2040: flows, stocks, end uses", short, 1.0),
        Row("every indicator of these years, thereafter", rates),
        within(f"mfa: {size}, by cohort: flows, stocks, ages, end uses", long, 5.0),
        Row("`copper-world`: the collection that recycles 80 % by 2030", seek),
    ]
