"""Topology and data of a system of processes, flows and stocks."""

from mfa.system.model import Source, System
from mfa.system.raw import RawSheet
from mfa.system.settings import Settings

__all__ = ["RawSheet", "Settings", "Source", "System"]
