"""Recycling: indicators, losses, trade between regions, and what to survey next."""

from mfa.recycling.indicators import indicators
from mfa.recycling.gains import gains
from mfa.recycling.losses import bottlenecks
from mfa.recycling.survey import survey
from mfa.recycling.trade import trade

__all__ = ["bottlenecks", "gains", "indicators", "survey", "trade"]
