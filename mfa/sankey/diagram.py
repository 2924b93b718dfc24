"""What a chart shows, before anything is placed: boxes, links between them, stocks.

A `Diagram` knows nothing of coordinates, fonts or files, and the layout knows nothing of
balances: this module is all they share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lane = Literal["main", "import", "export", "loss", "scrap", "self", "discrepancy"]
DiagramStyle = Literal["cycle", "circulation"]
Status = Literal["fixed", "measured", "reconciled", "calculated", "undetermined"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what is known of it, in the diagram's unit.

    Parameters
    ----------
    value, sd : float or None
        Result and one standard deviation; None for an undetermined quantity.
    low, high : float or None
        Range; None where unlimited.
    status : str
        One of the five statuses of a result.
    assumed : bool
        Whether it rests directly on an assumption of the user.
    """

    value: float | None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    status: Status = "calculated"
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a number comes from.

    Parameters
    ----------
    observed : Quantity or None
        What the data say of it; None where the cell is blank.
    adjustment : float or None
        How far reconciliation moved it, (value − observed) / observed sd.
    cell, reference, note : str
        Cell of the workbook, source, and the user's remark.
    included : bool
        Whether the user lets the datum count.
    """

    observed: Quantity | None = None
    adjustment: float | None = None
    cell: str = ""
    reference: str = ""
    note: str = ""
    included: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """One flow of a link, or one number of a stock: its id, its name, its quantity, its source."""

    flow: str
    label: str
    quantity: Quantity
    evidence: Evidence = Evidence()


@dataclass(frozen=True, slots=True)
class StockBox:
    """The stock of a process: level (mass) and net addition (mass/yr), either may be None.

    ``parts`` are the same two with where they come from.
    """

    level: Quantity | None
    change: Quantity | None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A box: one balanced process, or a group of processes shown together.

    Parameters
    ----------
    id, label : str
        Identity and displayed name.
    stage : str
        Stage of the cycle, or "" (see `mfa.schema.STAGES` for their order).
    column, row : int or None
        The place that the user wishes, counted from 0.
    stock : StockBox or None
        The stock that stands in it.
    imbalance : float or None
        What the observed data leave open, inputs − outputs − stock change, as a share of the
        throughput; None where it cannot be formed from the data.
    flagged : bool
        Whether the imbalance is larger than its uncertainty allows (|z| > 1.96).
    bottleneck : bool
        Whether the worst loss stands here.
    throughput : Quantity or None
        All that enters it, or leaves it if nothing enters.
    """

    id: str
    label: str
    stage: str = ""
    column: int | None = None
    row: int | None = None
    stock: StockBox | None = None
    imbalance: float | None = None
    flagged: bool = False
    bottleneck: bool = False
    throughput: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One ribbon: every flow of one lane from one box to another, or across the boundary.

    Parameters
    ----------
    id : str
        Identity, unique in the diagram.
    source, target : str or None
        Node ids; None is the world outside the system boundary.
    lane : str
        "main" goes forward along the chain; "import" has no source, "export", "loss" and
        "discrepancy" have no target; "scrap" returns (or any link that the layout finds to point
        backwards); "self" leaves and enters the same node.
    label : str
        Short name, shown where there is room: for imports, exports and losses always.
    quantity : Quantity
        The sum of the parts.
    parts : tuple of Part
        The flows it bundles, largest first; at least one.
    flagged : bool
        Whether the data behind it are suspect (|z| > 1.96 and the global test fails).
    bottleneck : bool
        Whether it is the worst loss.
    is_scrap : bool
        Whether all that it bundles is scrap, and it looks so wherever it goes inside the boundary.
    tones : tuple of (str, float)
        Colours side by side with their shares of the width; empty for the colour of its lane.
    absent : bool
        Whether only other charts of a comparison have it: its place is kept, nothing is drawn.
    """

    id: str
    source: str | None
    target: str | None
    lane: Lane
    label: str
    quantity: Quantity
    parts: tuple[Part, ...]
    flagged: bool = False
    bottleneck: bool = False
    is_scrap: bool = False
    tones: tuple[tuple[str, float], ...] = ()
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Diagram:
    """Everything that one chart shows.

    Parameters
    ----------
    title, subtitle, source : str
        Headline; line below it (substance, unit, year); source line at the foot.
    unit : str
        Unit of every flow quantity, e.g. "kt/yr"; stock levels are in its mass unit.
    nodes, links : tuple
        In a fixed order that does not depend on the order of the user's rows.
    notes : tuple of str
        Remarks to print at the foot, such as a failed global test.
    lang : {"en", "ja"}
        Language of the words that the chart adds itself.
    scale : float or None
        Pixels per unit of flow, to compare charts at one scale; None lets the layout choose.
    label : str
        What tells it apart from the others of a comparison, such as its year.
    tones : tuple of (str, str)
        The colours of the links and what they stand for; empty for the colours of the lanes.
    style : {"cycle", "circulation"}
        Ribbons as wide as their flows; or arrows of one width between boxes with numbers, in
        lanes from ore to scrap.
    """

    title: str
    subtitle: str
    unit: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    source: str = ""
    notes: tuple[str, ...] = ()
    lang: Literal["en", "ja"] = "en"
    scale: float | None = None
    label: str = ""
    tones: tuple[tuple[str, str], ...] = ()
    style: DiagramStyle = "cycle"
