"""The chart of a balance, ready to be saved in any kind of file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from mfa.balance import Balance
from mfa.balance import region as seen_from
from mfa.errors import ChartError
from mfa.io.whole import whole_file
from mfa.sankey.build import build_diagram
from mfa.sankey.colours import Colour
from mfa.sankey.diagram import Diagram, DiagramStyle
from mfa.sankey.geometry import Drawing
from mfa.sankey.interactive import to_figure_html, to_html
from mfa.sankey.layout import layout_all, layout_panels
from mfa.sankey.machine import to_json
from mfa.sankey.picture import to_file
from mfa.sankey.scene import Lang
from mfa.sankey.svg import to_svg
from mfa.sankey.words import TEXT

_PICTURES, _TEXTS = (".png", ".pdf"), (".svg", ".html", ".json")
KINDS = (".svg", ".png", ".pdf", ".html", ".json")


@dataclass(frozen=True)
class Chart:
    """A finished chart: what it shows, and where everything stands.

    Parameters
    ----------
    diagrams : tuple of Diagram
        What it shows; several, such as one per year, are drawn on one scale and in the same
        places.
    """

    diagrams: tuple[Diagram, ...]

    @cached_property
    def drawings(self) -> tuple[Drawing, ...]:
        """Geometry of each diagram by itself, in px, all of one size and on one scale."""
        return layout_all(self.diagrams)

    @cached_property
    def drawing(self) -> Drawing:
        """Geometry of the chart on one sheet, in px; several diagrams as small multiples."""
        return layout_panels(self.diagrams) if len(self.diagrams) > 1 else self.drawings[0]

    @cached_property
    def svg(self) -> str:
        """The chart as SVG."""
        return to_svg(self.drawing)

    @cached_property
    def figure(self) -> str:
        """The chart as an HTML figure, to be put into a page; see `mfa.sankey.interactive`."""
        return to_figure_html(self.diagrams, self.drawings)

    def beside(self, *others: Chart, labels: Sequence[str] = ()) -> Chart:
        """Return charts as one, on one scale and with everything in the same place.

        Parameters
        ----------
        *others : Chart
            Such as those of other scenarios or editions, in the same unit, language and style.
        labels : sequence of str, optional
            What to call each diagram in place of its year.

        Raises
        ------
        ChartError
            If they cannot be compared, or there are more or fewer labels than diagrams.

        Examples
        --------
        >>> from mfa.sankey.diagram import Diagram, Node
        >>> old, new = (Chart((Diagram("", "", "t/yr", (Node("A", "a"),), ()),)) for _ in range(2))
        >>> [diagram.label for diagram in old.beside(new, labels=["old", "new"]).diagrams]
        ['old', 'new']
        """
        every = tuple(diagram for chart in (self, *others) for diagram in chart.diagrams)
        for name, word in (("lang", "language"), ("unit", "unit"), ("style", "style")):
            found = sorted({str(getattr(diagram, name)) for diagram in every})
            if len(found) > 1:
                raise ChartError(
                    f"charts cannot stand beside each other: their {word} differs "
                    f"({', '.join(found)}); draw them with the same {word}"
                )
        if labels and len(labels) != len(every):
            raise ChartError(f"there are {len(every)} diagrams and {len(labels)} labels for them")
        names = labels or [diagram.label for diagram in every]
        return Chart(tuple(replace(d, label=name) for d, name in zip(every, names, strict=True)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the chart to a file; its suffix says which kind: .svg .png .pdf .html .json.

        Raises
        ------
        ChartError
            If the suffix is another one, or a font for Japanese is missing.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind in _PICTURES:
            to_file(self.drawing, path)
        elif kind in _TEXTS:
            with whole_file(path) as temporary:
                temporary.write_text(self._text(kind), encoding="utf-8", newline="\n")
        else:
            *most, last = KINDS
            raise ChartError(
                f"cannot save a chart as {path.suffix or path.name!r}; "
                f"use {', '.join(most)} or {last}"
            )

    def _text(self, kind: str) -> str:
        if kind == ".svg":
            return self.svg
        writer = to_html if kind == ".html" else to_json
        return writer(self.diagrams, self.drawings)

    def _repr_svg_(self) -> str:
        return self.svg


def sankey(
    balance: Balance,
    year: int | Iterable[int] | None = None,
    substance: str | None = None,
    lang: Lang = "en",
    region: str | None = None,
    *,
    style: DiagramStyle = "cycle",
    colour: Colour = "role",
    before: bool = False,
) -> Chart:
    """Return the circulation chart of a balance.

    Parameters
    ----------
    balance : Balance
    year : int or several, optional
        By default the last year. Several years are drawn on one scale with everything in the same
        place: one under the other in a picture, with a slider in HTML.
    substance : str, optional
        By default the first substance.
    lang : {"en", "ja"}
        Language of names and words; names fall back on English.
    region : str, optional
        One region apart, its trade at the boundary; by default the whole.
    style : {"cycle", "circulation"}
        Ribbons as wide as their flows; or the circulation chart of statistics: lanes from ore to
        scrap, a number in every box, and arrows of one width.
    colour : {"role", "substance", "origin", "adjustment"}
        What colours tell: the part that a flow plays in the cycle; its substance (of gross mass,
        the composition); where its metal stems from, if every process mixes what it takes in; how
        far reconciling moved its datum.
    before : bool
        Whether the data, with blanks hatched, stand beside the results, on the same scale.

    Returns
    -------
    Chart
        ``save("copper.svg")`` writes it; a notebook shows it.

    Raises
    ------
    MFAError
        If there is no such year, substance, region, style or colour.
    """
    years = list(year) if isinstance(year, Iterable) else [year]
    if not years:
        raise ChartError("no year to draw; leave year out for the last one")
    shown = balance if region is None else seen_from(balance, region)
    states = (True, False) if before else (False,)
    diagrams = []
    for one in years:
        for observed in states:
            diagram = build_diagram(
                shown, one, substance, lang, style=style, colour=colour, observed=observed
            )
            diagrams.append(_stated(diagram, observed) if before else diagram)
    return Chart(tuple(diagrams))


def _stated(diagram: Diagram, observed: bool) -> Diagram:
    """Return a diagram that says whether it shows the data or the results."""
    text = TEXT[diagram.lang]["as_observed" if observed else "as_reconciled"]
    label, subtitle = text.format(diagram.label), text.format(diagram.subtitle)
    return replace(diagram, label=label, subtitle=subtitle)
