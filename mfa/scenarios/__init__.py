"""The future of a system: projections under scenarios, and levers that reach a target."""

from mfa.scenarios.project import project
from mfa.scenarios.result import Projection
from mfa.scenarios.seek import Sought, solve_for

__all__ = ["Projection", "Sought", "project", "solve_for"]
