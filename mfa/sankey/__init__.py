"""The circulation chart: what it shows, where everything stands, and how it becomes a file.

`diagram` says what is shown, `build` makes it from a balance, `layout` turns it into geometry,
`svg`, `picture`, `interactive` and `machine` write it as SVG, PNG or PDF, HTML, and JSON.

The public function has the name of this room, so the room itself can be called:
``mfa.sankey(balance)``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType

from mfa.balance import Balance
from mfa.sankey.chart import Chart, sankey
from mfa.sankey.colours import Colour
from mfa.sankey.diagram import DiagramStyle
from mfa.sankey.scene import Lang

__all__ = ["Chart", "sankey"]


class _Room(ModuleType):
    """A module that passes a call on to its function `sankey`."""

    def __call__(
        self,
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
        """Return the circulation chart of a balance, see `mfa.sankey.chart.sankey`."""
        return sankey(
            balance, year, substance, lang, region, style=style, colour=colour, before=before
        )


sys.modules[__name__].__class__ = _Room
