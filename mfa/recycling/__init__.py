"""Recycling: indicators, losses, origins of metal, trade, and what to survey next."""

from mfa.recycling.indicators import indicators
from mfa.recycling.losses import bottlenecks
from mfa.recycling.survey import survey
from mfa.recycling.trace import trace
from mfa.recycling.trade import trade

__all__ = ["bottlenecks", "indicators", "survey", "trace", "trade"]
