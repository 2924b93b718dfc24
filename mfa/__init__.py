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
    from mfa.supply import criteria, support
    from mfa.system import System

__version__ = "0.1.0"

_HOMES = {
    "Balance": "mfa.balance",
    "Chart": "mfa.sankey",
    "Fixed": "mfa.stocks",
    "FoldedNormal": "mfa.stocks",
    "Gamma": "mfa.stocks",
    "Lifetime": "mfa.stocks",
    "LogNormal": "mfa.stocks",
    "Normal": "mfa.stocks",
    "StockRun": "mfa.stocks",
    "System": "mfa.system",
    "Weibull": "mfa.stocks",
    "bottlenecks": "mfa.recycling",
    "capacity": "mfa.recycling",
    "cases": "mfa.io",
    "convert": "mfa.io",
    "criteria": "mfa.supply",
    "gains": "mfa.recycling",
    "indicators": "mfa.recycling",
    "inflow_driven": "mfa.stocks",
    "inflow_from_cohorts": "mfa.stocks",
    "leakage": "mfa.recycling",
    "measures": "mfa.recycling",
    "read_tables": "mfa.io",
    "read_workbook": "mfa.io",
    "reconcile": "mfa.balance",
    "region": "mfa.balance",
    "remarks": "mfa.balance",
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
    "Fixed",
    "FoldedNormal",
    "Gamma",
    "Lifetime",
    "LogNormal",
    "MFAError",
    "Normal",
    "Problem",
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
    "convert",
    "criteria",
    "gains",
    "indicators",
    "inflow_driven",
    "inflow_from_cohorts",
    "leakage",
    "measures",
    "read_tables",
    "read_workbook",
    "reconcile",
    "region",
    "remarks",
    "sankey",
    "stock_driven",
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
    if name == "sankey":  # a room that can be called, see mfa.sankey
        return import_module("mfa.sankey")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'mfa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
