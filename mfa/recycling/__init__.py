"""Recycling: indicators, losses, origins of metal, trade, and what to survey next."""

from mfa.recycling.capacity import capacity
from mfa.recycling.gains import gains
from mfa.recycling.indicators import indicators
from mfa.recycling.leakage import leakage
from mfa.recycling.losses import bottlenecks
from mfa.recycling.measures import measures
from mfa.recycling.survey import survey
from mfa.recycling.trace import trace
from mfa.recycling.trade import trade

__all__ = [
    "bottlenecks",
    "capacity",
    "gains",
    "indicators",
    "leakage",
    "measures",
    "survey",
    "trace",
    "trade",
]
