"""The chart of a balance, ready to be saved in any kind of file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mfa.balance import Balance
from mfa.errors import ChartError
from mfa.io.whole import whole_file
from mfa.sankey.build import Lang, build_diagram
from mfa.sankey.diagram import Diagram
from mfa.sankey.geometry import Drawing
from mfa.sankey.interactive import to_figure_html, to_html
from mfa.sankey.layout import layout_all, layout_panels
from mfa.sankey.machine import to_json
from mfa.sankey.picture import to_file
from mfa.sankey.svg import to_svg

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

    Returns
    -------
    Chart
        ``save("copper.svg")`` writes it; a notebook shows it.

    Raises
    ------
    MFAError
        If there is no such year or substance.
    """
    years = list(year) if isinstance(year, Iterable) else [year]
    if not years:
        raise ChartError("no year to draw; leave year out for the last one")
    return Chart(tuple(build_diagram(balance, one, substance, lang) for one in years))
