"""The main verb: reconcile a System."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from mfa.balance.bilinear import Runaway, estimate_products
from mfa.balance.bounds import Infeasible, bounded_estimate
from mfa.balance.clash import clash_error, with_exact_products
from mfa.balance.compile import Model, compile_system
from mfa.balance.result import Balance
from mfa.errors import BalanceError, Problem, SystemDefinitionError
from mfa.system import System

_log = logging.getLogger("mfa")


def reconcile(system: System, progress: Callable[[str], None] | None = None) -> Balance:
    """Close every balance, staying as close to the data as their sd allow.

    Minimises Σ((x − y)/sd)² over all years at once under the balances, exact data, relations and
    bounds. Data that contradict each other are a result (`Balance.p_value`, `Balance.suspects`),
    no error.

    Parameters
    ----------
    system : System
        Processes, flows, stocks and what is known of them.
    progress : callable, optional
        Called with a few words before each stage.

    Returns
    -------
    Balance

    Raises
    ------
    SystemDefinitionError
        If the system has no flows.
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
    if system.flows.empty:
        what, do = "there are no flows to reconcile", "fill in the sheets 'processes' and 'flows'"
        file = system.source.name if system.source else ""
        raise SystemDefinitionError([Problem(what, do, None, "flows", "A2", file)])
    say("drawing up the balances")
    model = compile_system(system)
    say("reconciling")
    try:
        if len(model.products):
            bounded = estimate_products(model.equations, model.products)
        else:
            bounded = bounded_estimate(model.equations)
    except Infeasible:
        raise clash_error(with_exact_products(model)) from None
    except Runaway as runaway:
        raise _runaway_error(model, runaway.number) from None
    solved = replace(model, equations=bounded.classified.equations)
    return Balance(system, solved, bounded)


def _runaway_error(model: Model, number: int) -> BalanceError:
    """Return the error for coefficients and compositions on which the steps do not settle."""
    cell = model.cell(number)
    message = (
        f"{cell + ': ' if cell else ''}the data do not settle {model.name(number)}: the closer the "
        "fit, the further away it runs. Give it a value with a wide sd, or a min and a max, or "
        "measure the flows that it stands between"
    )
    return BalanceError(message, [cell] if cell else [])
