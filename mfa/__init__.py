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
    from mfa.recycling import bottlenecks, indicators, survey, trade
    from mfa.report import write_report, write_workbook
    from mfa.sankey.chart import Chart, sankey
    from mfa.system import System

__version__ = "0.1.0"

_HOMES = {
    "Balance": "mfa.balance",
    "Chart": "mfa.sankey",
    "System": "mfa.system",
    "bottlenecks": "mfa.recycling",
    "cases": "mfa.io",
    "convert": "mfa.io",
    "indicators": "mfa.recycling",
    "read_tables": "mfa.io",
    "read_workbook": "mfa.io",
    "reconcile": "mfa.balance",
    "region": "mfa.balance",
    "remarks": "mfa.balance",
    "survey": "mfa.recycling",
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
    "MFAError",
    "Problem",
    "StockError",
    "System",
    "SystemDefinitionError",
    "UnitError",
    "WorkbookError",
    "bottlenecks",
    "cases",
    "convert",
    "indicators",
    "read_tables",
    "read_workbook",
    "reconcile",
    "region",
    "remarks",
    "sankey",
    "survey",
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
