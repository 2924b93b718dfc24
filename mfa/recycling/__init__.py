"""Recycling: indicators, losses, and what to survey next."""

from mfa.recycling.indicators import indicators
from mfa.recycling.losses import bottlenecks
from mfa.recycling.survey import survey

__all__ = ["bottlenecks", "indicators", "survey"]
