"""The future of a system: projections under scenarios, and levers that reach a target."""

from mfa.scenarios.project import check_scenarios, project
from mfa.scenarios.result import Projection
from mfa.scenarios.seek import Sought, solve_for
from mfa.scenarios.sheet import scenario_names

__all__ = [
    "Projection",
    "Sought",
    "check_scenarios",
    "project",
    "scenario_names",
    "solve_for",
]
