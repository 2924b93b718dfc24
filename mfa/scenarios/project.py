"""Run a system forward into the future."""

from __future__ import annotations

from mfa.balance import Balance, reconcile
from mfa.errors import MFAError, Problem, SystemDefinitionError, WorkbookError
from mfa.scenarios.result import Projection
from mfa.scenarios.run import plan_of, run
from mfa.scenarios.sheet import scenario_names
from mfa.system import System

_FAR = 500


def project(system: System | Balance, scenario: str | None = None, until: int = 2050) -> Projection:
    """Run a system forward from its last year, with what a scenario changes.

    The base year is the last reconciled one. From there on every process sends what it takes in
    by the shares of the base year, use releases its cohorts as they age, and demand and exports
    stay as they are, unless the sheet ``scenarios`` changes them. What demand draws is made, in the
    end from mines and imports; scrap that comes back displaces them. All flows of a year are
    solved at once, so that loops are closed and every balance is exact.

    Parameters
    ----------
    system : System or Balance
        A System is reconciled first.
    scenario : str or None
        A scenario of the sheet ``scenarios``; None leaves everything as it is.
    until : int
        Last year.

    Returns
    -------
    Projection

    Raises
    ------
    WorkbookError, SystemDefinitionError
        Listing every problem in the sheets ``scenarios`` and ``technologies`` by cell.
    MFAError
        If the years do not fit, or no flows close the balances.

    Examples
    --------
    Demand grows by half in steps of a tenth; a quarter of what the plant takes in comes back.

    >>> import mfa
    >>> import pandas as pd
    >>> system = mfa.System.from_tables({
    ...     "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
    ...     "processes": pd.DataFrame({"process": ["Mine", "Plant", "Use"],
    ...         "kind": ["source", None, None], "stage": ["mining", "fabrication", "use"],
    ...         "stock": [None, None, "yes"]}),
    ...     "flows": pd.DataFrame({"flow": ["ore", "cuttings", "goods made"],
    ...         "from": ["Mine", "Plant", "Plant"], "to": ["Plant", "Plant", "Use"],
    ...         "role": ["primary", "home_scrap", "product"], "year": 2020,
    ...         "value": [30.0, 10.0, 30.0], "sd": 0.0}),
    ...     "scenarios": pd.DataFrame({"scenario": ["more"], "target": ["flow"],
    ...         "item": ["goods made"], "year": [2025], "change": ["multiply"], "value": [1.5],
    ...         "interpolation": ["linear"]}),
    ... })
    >>> future = mfa.project(system, "more", until=2025)
    >>> future.flows.query("year in (2021, 2025)")[["flow", "year", "value"]]
              flow  year  value
    1          ore  2021   33.0
    5          ore  2025   45.0
    7     cuttings  2021   11.0
    11    cuttings  2025   15.0
    13  goods made  2021   33.0
    17  goods made  2025   45.0
    """
    balance = system if isinstance(system, Balance) else reconcile(system)
    first = balance.system.years[-1]
    if until <= first or until > first + _FAR:
        raise MFAError(
            f"until {until}: the projection starts after {first}, the last year with flows; "
            f"give a year from {first + 1} to {first + _FAR}"
        )
    return Projection(run(plan_of(balance, scenario), until), scenario)


def check_scenarios(balance: Balance) -> None:
    """Check every scenario of a balance's system.

    Raises
    ------
    WorkbookError, SystemDefinitionError
        Listing every problem in the sheets ``scenarios`` and ``technologies`` by cell.
    """
    problems: dict[Problem, None] = {}
    fault: type[WorkbookError] | type[SystemDefinitionError] = SystemDefinitionError
    names: list[str | None] = list(scenario_names(balance.model.system))
    for name in names or [None]:
        try:
            plan_of(balance, name)
        except (WorkbookError, SystemDefinitionError) as error:
            fault = type(error)
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise fault(problems)
