"""Reconciliation: from contradicting and missing data to balances that close."""

from mfa.balance.apart import region
from mfa.balance.reconcile import reconcile
from mfa.balance.remarks import remarks
from mfa.balance.result import Balance

__all__ = ["Balance", "reconcile", "region", "remarks"]
