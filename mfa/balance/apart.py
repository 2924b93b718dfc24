"""One region of a balance, with the results of the whole."""

from __future__ import annotations

from mfa.balance.result import Balance
from mfa.errors import MFAError, near


def region(balance: Balance, name: str) -> Balance:
    """Return a balance as one of its regions sees it.

    Values, sd and covariances are those of the whole, reconciled together; what changes is what
    lies inside. Processes of other regions are imports of what they send here and exports of what
    they take from here; flows that touch no process of the region are not seen. The tests
    (``chi2``, ``suspects``, ``excluded``) stay those of the whole.

    Parameters
    ----------
    balance : Balance
    name : str
        One of ``balance.system.regions``.

    Returns
    -------
    Balance
        For every function that takes a balance; its ``system`` is what the region sees.

    Raises
    ------
    MFAError
        If there is no such region.

    Examples
    --------
    >>> import networkx as nx
    >>> import mfa
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_node("Mine", kind="source", region="Chile")
    >>> G.add_node("Smelter", region="Chile")
    >>> G.add_node("Refinery", region="Japan")
    >>> G.add_node("Market", kind="sink")
    >>> for a, b, value in [("Mine", "Smelter", 9.0), ("Smelter", "Refinery", 8.0)]:
    ...     _ = G.add_edge(a, b, value=value, sd=0.5)
    >>> _ = G.add_edge("Refinery", "Market")
    >>> balance = mfa.reconcile(mfa.System.from_graph(G))
    >>> japan = mfa.region(balance, "Japan")
    >>> japan.system.processes[["process", "kind"]]
        process     kind
    0  Refinery  process
    1    Market     sink
    2   Smelter   import
    >>> japan.flows[["flow", "value", "sd"]]
                    flow  value        sd
    0  Smelter->Refinery    8.5  0.353553
    1   Refinery->Market    8.5  0.353553
    """
    known = balance.regions
    if name not in known:
        otherwise = "it has " + ", ".join(known) if known else "fill in the column region"
        raise MFAError(f"the system has no region {name!r}; {near(name, known, otherwise)}")
    return known[name]
