"""Material flow analysis: balance contradicting statistics and find where recycling is lost.

The names below are loaded when they are first used, so that ``import mfa`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mfa.errors import (
    BalanceError,
    ChartError,
    MFAError,
    Problem,
    StockError,
    SystemDefinitionError,
    UnitError,
    WorkbookError,
)

if TYPE_CHECKING:
    from mfa import supply
    from mfa.balance import Balance, reconcile, region, remarks
    from mfa.io import (
        cases,
        convert,
        read_tables,
        read_workbook,
        write_tables,
        write_template,
    )
    from mfa.recycling import (
        bottlenecks,
        capacity,
        gains,
        indicators,
        leakage,
        measures,
        survey,
        trace,
        trade,
    )
    from mfa.report import write_report, write_workbook
    from mfa.sankey.chart import Chart, sankey
    from mfa.scenarios import Projection, Sought, check_scenarios, project, solve_for
    from mfa.stocks import (
        Fixed,
        FoldedNormal,
        Gamma,
        Lifetime,
        LogNormal,
        Normal,
        StockRun,
        Weibull,
        inflow_driven,
        inflow_from_cohorts,
        stock_driven,
    )
    from mfa.supply import Disruption, concentration, criteria, disrupt, support
    from mfa.system import System

__version__ = "0.1.0"

_HOMES = {
    "Balance": "mfa.balance",
    "Chart": "mfa.sankey",
    "Disruption": "mfa.supply",
    "Fixed": "mfa.stocks",
    "FoldedNormal": "mfa.stocks",
    "Gamma": "mfa.stocks",
    "Lifetime": "mfa.stocks",
    "LogNormal": "mfa.stocks",
    "Normal": "mfa.stocks",
    "Projection": "mfa.scenarios",
    "Sought": "mfa.scenarios",
    "StockRun": "mfa.stocks",
    "System": "mfa.system",
    "Weibull": "mfa.stocks",
    "bottlenecks": "mfa.recycling",
    "capacity": "mfa.recycling",
    "cases": "mfa.io",
    "check_scenarios": "mfa.scenarios",
    "concentration": "mfa.supply",
    "convert": "mfa.io",
    "criteria": "mfa.supply",
    "disrupt": "mfa.supply",
    "gains": "mfa.recycling",
    "indicators": "mfa.recycling",
    "inflow_driven": "mfa.stocks",
    "inflow_from_cohorts": "mfa.stocks",
    "leakage": "mfa.recycling",
    "measures": "mfa.recycling",
    "project": "mfa.scenarios",
    "read_tables": "mfa.io",
    "read_workbook": "mfa.io",
    "reconcile": "mfa.balance",
    "region": "mfa.balance",
    "remarks": "mfa.balance",
    "solve_for": "mfa.scenarios",
    "stock_driven": "mfa.stocks",
    "support": "mfa.supply",
    "survey": "mfa.recycling",
    "trace": "mfa.recycling",
    "trade": "mfa.recycling",
    "write_report": "mfa.report",
    "write_tables": "mfa.io",
    "write_template": "mfa.io",
    "write_workbook": "mfa.report",
}

__all__ = [
    "Balance",
    "BalanceError",
    "Chart",
    "ChartError",
    "Disruption",
    "Fixed",
    "FoldedNormal",
    "Gamma",
    "Lifetime",
    "LogNormal",
    "MFAError",
    "Normal",
    "Problem",
    "Projection",
    "Sought",
    "StockError",
    "StockRun",
    "System",
    "SystemDefinitionError",
    "UnitError",
    "Weibull",
    "WorkbookError",
    "bottlenecks",
    "capacity",
    "cases",
    "check_scenarios",
    "concentration",
    "convert",
    "criteria",
    "disrupt",
    "gains",
    "indicators",
    "inflow_driven",
    "inflow_from_cohorts",
    "leakage",
    "measures",
    "project",
    "read_tables",
    "read_workbook",
    "reconcile",
    "region",
    "remarks",
    "sankey",
    "solve_for",
    "stock_driven",
    "supply",
    "support",
    "survey",
    "trace",
    "trade",
    "write_report",
    "write_tables",
    "write_template",
    "write_workbook",
]


def __getattr__(name: str) -> object:
    if name in ("sankey", "supply"):  # rooms; the first can be called, see mfa.sankey
        return import_module(f"mfa.{name}")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'mfa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
