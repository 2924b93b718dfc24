"""Lifetimes, and stocks as cohorts that age."""

from __future__ import annotations

from mfa.stocks.distributions import Fixed, FoldedNormal, Gamma, LogNormal, Normal, Weibull
from mfa.stocks.driven import inflow_driven, inflow_from_cohorts, stock_driven
from mfa.stocks.lifetime import Lifetime
from mfa.stocks.prehistory import opening_shares, survival_shares
from mfa.stocks.run import StockRun

__all__ = [
    "Fixed",
    "FoldedNormal",
    "Gamma",
    "Lifetime",
    "LogNormal",
    "Normal",
    "StockRun",
    "Weibull",
    "inflow_driven",
    "inflow_from_cohorts",
    "opening_shares",
    "stock_driven",
    "survival_shares",
]
