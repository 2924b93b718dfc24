"""The System: what is connected, and what is known about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd

from mfa.errors import Problem, SystemDefinitionError, WorkbookError
from mfa.schema import GOODS
from mfa.system.build import assemble
from mfa.system.findings import Findings
from mfa.system.graph import tables_from_graph, to_graph
from mfa.system.raw import RawSheet, from_frame
from mfa.system.regions import region_names
from mfa.system.results import Values
from mfa.system.settings import Settings


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a system came from: its name and the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, eq=False, repr=False)
class System:
    """Processes, flows and stocks of a region, and the data about them.

    Topology (``processes``, ``flows``) and data (``data``, ``stocks``, …) are kept apart; the
    graph is derived from both. Tables are not to be changed in place.

    Attributes
    ----------
    settings : Settings
        Title, unit, substances.
    processes : DataFrame
        One row per process.
    flows : DataFrame
        One row per flow: flow, from, to, role, name, name_ja.
    data : DataFrame
        One row per flow, substance and year: value, sd, min, max [unit], basis, include,
        reference, note, cell. A blank value is NaN: not measured. The column cell reads like texts,
        of which only the row numbers are kept.
    stocks : DataFrame
        Levels [mass] and changes [unit], one row per process, substance, year and quantity.
    coefficients, compositions, observations : DataFrame
        Relations between flows, one row per row of their sheets, in the system's unit.
    tables : mapping of str to DataFrame
        The other sheets of the format, by name.
    sheets : mapping of str to RawSheet
        Every sheet as it stood in the file; of a results workbook without the results.
    problems : tuple of Problem
        Warnings met on the way.
    source : Source or None
        The file it was read from.
    """

    settings: Settings
    processes: pd.DataFrame
    flows: pd.DataFrame
    data: pd.DataFrame
    stocks: pd.DataFrame
    coefficients: pd.DataFrame
    compositions: pd.DataFrame
    observations: pd.DataFrame
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    sheets: Mapping[str, RawSheet] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    source: Source | None = None

    @property
    def unit(self) -> str:
        """Unit of every flow."""
        return self.settings.unit.name

    @property
    def substances(self) -> tuple[str, ...]:
        """The substances, the default one first."""
        return self.settings.substances

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Years in which flows have rows, ascending."""
        return tuple(np.unique(self.data["year"].to_numpy(dtype=np.int64)).tolist())

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Regions with balanced processes; a process that names none is in the system's own."""
        return region_names(self.processes, self.settings.region)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Goods, if any flow has a row for it, and the substances."""
        goods = (self.data["substance"] == GOODS).any()
        return (GOODS, *self.substances) if goods else self.substances

    @cached_property
    def graph(self) -> nx.MultiDiGraph:
        """Processes and flows as a networkx MultiDiGraph, flows keyed by their ids.

        Nodes carry name, stage, kind, stock, …; edges carry ``role`` and ``data``, a list with
        one record per substance and year, and where there is just one record, its entries too.
        """
        return to_graph(self.settings, self.processes, self.flows, self.data)

    @staticmethod
    def from_tables(tables: Mapping[str, pd.DataFrame]) -> System:
        """Build a System from tables with the sheets' and columns' names of the format.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            ``system`` (key, value), ``processes``, ``flows`` and any others.

        Raises
        ------
        SystemDefinitionError
            Listing every fault; places are written as if each table were a sheet.

        Examples
        --------
        >>> import pandas as pd
        >>> from mfa.system import System
        >>> system = System.from_tables({
        ...     "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
        ...     "processes": pd.DataFrame({"process": ["Mine", "Smelter", "Market"],
        ...                                "kind": ["source", None, "sink"]}),
        ...     "flows": pd.DataFrame({"flow": ["ore", "metal"], "from": ["Mine", "Smelter"],
        ...                            "to": ["Smelter", "Market"], "year": [2018, 2018],
        ...                            "value": [9.0, 8.0], "sd": [0.5, 0.2]}),
        ... })
        >>> system
        System: 3 processes, 2 flows, Cu, 2018, kt/yr
        """
        raw = {name: from_frame(name, pd.DataFrame(table)) for name, table in tables.items()}
        return _system(raw, Findings(), None, SystemDefinitionError)

    @staticmethod
    def from_sheets(
        sheets: Mapping[str, RawSheet],
        source: Source,
        values: Values = "observed",
        *,
        problems: Iterable[Problem] = (),
    ) -> System:
        """Build a System from the raw sheets of a file.

        Of a results workbook, ``values`` says whether what was observed is read, or the results.
        Problems that were met when the file was opened are reported together with the others.

        Raises
        ------
        WorkbookError
            Listing every problem by cell.
        """
        findings = Findings(source.name, list(problems))
        return _system(sheets, findings, source, WorkbookError, values)

    @staticmethod
    def from_graph(graph: nx.Graph) -> System:
        """Build a System from a networkx graph of processes and flows.

        Parameters
        ----------
        graph : networkx.DiGraph or MultiDiGraph
            Nodes are processes and may carry the columns of the sheet ``processes``; edges are
            flows and carry the columns of ``flows``, or a list of such records in ``data``. The
            edge's key is the flow's id if it is a text. ``graph.graph`` may hold the keys of the
            sheet ``system`` and a ``year`` for edges that name none (default 0, which stands for
            no year if no edge names one).

        Raises
        ------
        SystemDefinitionError
            Listing every fault.

        Examples
        --------
        >>> import networkx as nx
        >>> from mfa.system import System
        >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
        >>> G.add_node("Mine", kind="source")
        >>> G.add_node("Market", kind="sink")
        >>> G.add_edge("Mine", "Smelter", key="ore", value=9.0, sd=0.5)
        'ore'
        >>> G.add_edge("Smelter", "Market", key="metal")
        'metal'
        >>> System.from_graph(G)
        System: 3 processes, 2 flows, Cu, 2018, kt/yr
        """
        return System.from_tables(tables_from_graph(graph))

    def __repr__(self) -> str:
        years = self.years
        span = f"{years[0]}–{years[-1]}" if len(years) > 1 else "".join(map(str, years))
        counts = f"{len(self.processes)} processes, {len(self.flows)} flows"
        parts = [counts, ", ".join(self.substances), span, self.unit]
        return "System: " + ", ".join(part for part in parts if part)


def _system(
    sheets: Mapping[str, RawSheet],
    findings: Findings,
    source: Source | None,
    fault: type[SystemDefinitionError] | type[WorkbookError],
    values: Values = "observed",
) -> System:
    """Assemble a System, or raise the given error with all problems."""
    parts = assemble(sheets, findings, values)
    if findings.failed:
        raise fault(findings.sorted())
    return System(**parts, problems=findings.sorted(), source=source)
