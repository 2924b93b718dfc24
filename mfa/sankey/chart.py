"""The chart of a balance, ready to be saved in any kind of file."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mfa.balance import Balance
from mfa.balance import region as seen_from
from mfa.errors import ChartError
from mfa.io.whole import whole_file
from mfa.sankey.build import Lang, build_diagram
from mfa.sankey.diagram import Diagram
from mfa.sankey.geometry import Drawing
from mfa.sankey.layout import layout
from mfa.sankey.picture import to_file
from mfa.sankey.svg import to_svg

_PICTURES = (".png", ".pdf")


@dataclass(frozen=True)
class Chart:
    """A finished chart: what it shows, and where everything stands."""

    diagram: Diagram

    @cached_property
    def drawing(self) -> Drawing:
        """Geometry of the chart, in px."""
        return layout(self.diagram)

    @cached_property
    def svg(self) -> str:
        """The chart as SVG."""
        return to_svg(self.drawing)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the chart to a file; its suffix says which kind: .svg .png .pdf .json.

        Raises
        ------
        ChartError
            If the suffix is another one, or a font for Japanese is missing.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind in _PICTURES:
            to_file(self.drawing, path)
        elif kind == ".svg":
            with whole_file(path) as temporary:
                temporary.write_text(self.svg, encoding="utf-8", newline="\n")
        elif kind == ".json":
            text = json.dumps(dataclasses.asdict(self.diagram), ensure_ascii=False, indent=1)
            with whole_file(path) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
        else:
            raise ChartError(
                f"cannot save a chart as {path.suffix or path.name!r}; "
                "use .svg, .png, .pdf or .json"
            )

    def _repr_svg_(self) -> str:
        return self.svg


def sankey(
    balance: Balance,
    year: int | None = None,
    substance: str | None = None,
    lang: Lang = "en",
    region: str | None = None,
) -> Chart:
    """Return the circulation chart of a balance.

    Parameters
    ----------
    balance : Balance
    year : int, optional
        By default the last year.
    substance : str, optional
        By default the first substance.
    lang : {"en", "ja"}
        Language of names and words; names fall back on English.
    region : str, optional
        One region apart, its trade at the boundary; by default the whole.

    Returns
    -------
    Chart
        ``save("copper.svg")`` writes it; a notebook shows it.

    Raises
    ------
    MFAError
        If there is no such year, substance or region.
    """
    shown = balance if region is None else seen_from(balance, region)
    return Chart(build_diagram(shown, year, substance, lang))
