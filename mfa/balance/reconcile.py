"""The main verb: reconcile a System."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mfa.balance.bilinear import Runaway, estimate_products
from mfa.balance.bounds import Bounded, Infeasible, bounded_estimate
from mfa.balance.clash import clash_error, with_exact_products
from mfa.balance.compile import Model, compile_system
from mfa.balance.network import Floats
from mfa.balance.result import Balance
from mfa.balance.survival import Survival, check_survival, error_sizes
from mfa.errors import BalanceError, Problem, SystemDefinitionError
from mfa.system import System

_log = logging.getLogger("mfa")


_CV = 0.1


def reconcile(
    system: System,
    progress: Callable[[str], None] | None = None,
    *,
    survival: Survival = "exact",
    cv: float = _CV,
) -> Balance:
    """Close every balance, staying as close to the data as their sd allow.

    Minimises Σ((x − y)/sd)² over all years at once under the balances, exact data, relations and
    bounds; where the workbook has lifetimes, what leaves a stock is tied to what entered it in
    earlier years, so that data of one year inform the others. Data that contradict each other are a
    result (`Balance.p_value`, `Balance.suspects`), no error.

    Parameters
    ----------
    system : System
        Processes, flows, stocks and what is known of them.
    progress : callable, optional
        Called with a few words before each stage.
    survival : {"exact", "soft", "off"}
        How strictly lifetimes bind: stocks are exactly their cohorts; outflows may differ from what
        their cohorts say, by ``cv``; or not at all. Without lifetimes it makes no difference.
    cv : float, default: 0.1
        With "soft", sd of an outflow about what its cohorts say, relative to the outflow that
        "exact" gives (or "off", where "exact" has no solution).

    Returns
    -------
    Balance

    Raises
    ------
    SystemDefinitionError
        If the system has no flows.
    MFAError
        If there is no such way for lifetimes to bind, or cv is not above 0.
    BalanceError
        If no values can satisfy exact data, relations and bounds; names the rows that clash.

    Examples
    --------
    A smelter whose ore and metal do not agree; the better known of the two moves less.

    >>> import networkx as nx
    >>> from mfa.balance import reconcile
    >>> from mfa.system import System
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_nodes_from([("Mine", {"kind": "source"}), ("Market", {"kind": "sink"})])
    >>> _ = G.add_edge("Mine", "Smelter", key="ore", value=100.0, sd=4.0)
    >>> _ = G.add_edge("Smelter", "Market", key="metal", value=95.0, sd=2.0)
    >>> balance = reconcile(System.from_graph(G))
    >>> balance.flows[["flow", "value", "sd", "status"]]
        flow  value        sd      status
    0    ore   96.0  1.788854  reconciled
    1  metal   96.0  1.788854  reconciled
    """
    say = progress or _log.debug
    check_survival(survival, cv)
    if system.flows.empty:
        what, do = "there are no flows to reconcile", "fill in the sheets 'processes' and 'flows'"
        file = system.source.name if system.source else ""
        raise SystemDefinitionError([Problem(what, do, None, "flows", "A2", file)])
    say("drawing up the balances")
    sd = _errors(system, cv, say) if survival == "soft" else None
    model = compile_system(system, survival, cv, sd)
    say("reconciling")
    bounded = _estimated(model)
    solved = replace(model, equations=bounded.classified.equations)
    return Balance(system, solved, bounded)


def _estimated(model: Model) -> Bounded:
    """Return the estimate of a model, or raise the error that says why there is none."""
    try:
        if len(model.products):
            return estimate_products(model.equations, model.products)
        return bounded_estimate(model.equations)
    except Infeasible:
        raise clash_error(with_exact_products(model)) from None
    except Runaway as runaway:
        raise _runaway_error(model, runaway.number) from None


def _errors(system: System, cv: float, say: Callable[[str], None]) -> Floats:
    """Return the sd of every statement about cohorts [mass per step], from an exact pass."""
    model = compile_system(system, "exact")
    if not model.cohorts:
        return np.zeros(0)
    say("estimating outflows")
    try:
        bounded = _estimated(model)
    except BalanceError:
        bounded = _estimated(compile_system(system))
    return error_sizes(model.cohorts, bounded.estimate.x, cv)


def _runaway_error(model: Model, number: int) -> BalanceError:
    """Return the error for coefficients and compositions on which the steps do not settle."""
    cell = model.cell(number)
    message = (
        f"{cell + ': ' if cell else ''}the data do not settle {model.name(number)}: the closer the "
        "fit, the further away it runs. Give it a value with a wide sd, or a min and a max, or "
        "measure the flows that it stands between"
    )
    return BalanceError(message, [cell] if cell else [])
