"""Stocks and flows of the future as curves: scenarios side by side, each row at one scale."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mfa.errors import ChartError
from mfa.report.rates import RateRow, draw_rates, rate_row
from mfa.report.words import Lang, words
from mfa.sankey.svg import fonts
from mfa.sankey.text import is_cjk
from mfa.sankey.typefaces import japanese_family
from mfa.scenarios import Projection

# Okabe & Ito's colours, which the colour-blind can tell apart; grey for all others together.
PART_TONES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
OTHERS = "#999999"
AGE_TONES = ("#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838")  # cividis
_MOST = len(PART_TONES)
_LINE = 28  # letters in a line of a legend
_WIDTH, _ROW, _HEAD, _FOOT, _LEFT, _LEGEND = 3.0, 2.8, 0.9, 0.62, 0.75, 2.3  # inches
_TOP = 0.5  # from the top of a row to its heading
_PANELS = ("stock by age", "stock by end use", "inflow by end use", "supply")
_BESIDE: Mapping[str, Any] = {
    "loc": "upper left",
    "bbox_to_anchor": (1.02, 1.03),
    "frameon": False,
    "fontsize": 8,
    "borderaxespad": 0.0,
}
Names = Callable[[str], str]


@dataclass(frozen=True)
class Panel:
    """One row of the picture: a quantity by its parts, with a column for every scenario."""

    quantity: str
    parts: tuple[str, ...]
    colours: tuple[str, ...]
    unit: str
    values: Mapping[str, pd.DataFrame]  # by scenario: years by parts


def curve_table(projection: Projection) -> pd.DataFrame:
    """Return what the curves show: quantity, item, part, substance, year, value, unit.

    Quantities are stock by age, stock by end use, inflow by end use, and supply (primary, scrap).
    """
    settings = projection.system.settings
    rate, mass = settings.unit.name, settings.unit.mass.name
    ages, uses, supply = projection.ages, projection.end_uses, projection.supply
    keys = ["quantity", "item", "part", "substance", "year", "value", "unit"]
    by_use = {"item": uses["process"], "part": uses["end_use"]}
    parts = [
        ages.assign(quantity="stock by age", item=ages["process"], part=_classes(ages)),
        uses.assign(**by_use, quantity="stock by end use", value=uses["level"], unit=mass),
        uses.assign(**by_use, quantity="inflow by end use", value=uses["inflow"], unit=rate),
        supply.assign(quantity="supply", item="", part=supply["kind"]),
    ]
    table = pd.concat([part[keys] for part in parts if len(part)], ignore_index=True)
    return table[table["value"].notna()].reset_index(drop=True)


def _classes(ages: pd.DataFrame) -> list[str]:
    pairs = zip(ages["age_from"], ages["age_to"], strict=True)
    return [f"{low:g}–{high:g}" if np.isfinite(high) else f"≥{low:g}" for low, high in pairs]


def panels(projections: Mapping[str, Projection], substance: str) -> list[Panel]:
    """Return the rows of the picture for a substance, without those that nothing is known of."""
    tables = {name: curve_table(one) for name, one in projections.items()}
    out: list[Panel] = []
    for quantity in _PANELS:
        chosen = {
            name: table[(table["quantity"] == quantity) & (table["substance"] == substance)]
            for name, table in tables.items()
        }
        every = pd.concat(chosen.values())
        if not every["value"].abs().sum() > 0:
            continue
        largest = every.groupby("part", sort=False)["value"].max()
        order = list(largest.index)
        if quantity.endswith("end use"):
            if quantity.startswith("stock") and len(order) == 1 and out:
                continue  # the same as the row above, without its ages
            order = list(largest.sort_values(ascending=False, kind="stable").index)
        kept, rest = order[:_MOST], order[_MOST:]
        colours = AGE_TONES if quantity == "stock by age" else PART_TONES
        wide = {}
        for name, table in chosen.items():
            frame = table.pivot_table(index="year", columns="part", values="value", aggfunc="sum")
            frame = frame.reindex(columns=order, fill_value=0.0).fillna(0.0)
            wide[name] = frame[kept].assign(others=frame[rest].sum(axis=1)) if rest else frame
        names = tuple([*kept, "others"] if rest else kept)
        tones = (*colours[: len(kept)], OTHERS) if rest else colours[: len(kept)]
        out.append(Panel(quantity, names, tuple(tones), str(every["unit"].iloc[0]), wide))
    return out


def figure(
    projections: Mapping[str, Projection],
    substance: str,
    lang: Lang = "en",
    named: Names = str,
) -> Figure | None:
    """Return the picture of some scenarios, None where there is nothing to show.

    Parameters
    ----------
    projections : mapping of str to Projection
        By the name of the scenario.
    substance : str
    lang : {"en", "ja"}
    named : callable
        Returns the name of a process.
    """
    rows = panels(projections, substance)
    rates = rate_row(projections, substance)
    if not rows and rates is None:
        return None
    w, n = words(lang), len(projections)
    deep = len(rows) + (rates is not None)
    wide, high = _WIDTH * n + _LEFT + _LEGEND, _ROW * deep + _FOOT
    out = Figure(figsize=(wide, high), facecolor="white")
    grid = out.subplots(deep, n, sharex=True, sharey="row", squeeze=False)
    bottom = _FOOT / high
    out.subplots_adjust(_LEFT / wide, bottom, 1 - _LEGEND / wide, 1 - _HEAD / high)
    out.subplots_adjust(wspace=0.14, hspace=_HEAD / (_ROW - _HEAD))
    heads = [f"{w[_key(row.quantity)]} [{row.unit}]" for row in rows]
    heads += [f"{w['curve_rates']} [%]"] if rates else []
    for i, said in enumerate(heads):
        said = said.replace("/yr", w["per_year"])
        out.text(0.1 / wide, 1 - (_ROW * i + _TOP) / high, said, fontsize=10, weight="bold")
    for i, panel in enumerate(rows):
        for axes, name in zip(grid[i], projections, strict=True):
            _draw(axes, panel, name)
            _finish(axes, name, panel.values[name].index)
        top = max(float(table.sum(axis=1).max()) for table in panel.values.values())
        grid[i][0].set_ylim(0, 1.05 * top)
        _legend(grid[i][n - 1], panel, w, named)
    first = next(iter(projections.values()))
    if rates:
        for axes, name in zip(grid[-1], projections, strict=True):
            draw_rates(axes, rates, name)
            _finish(axes, name, pd.Index(first.years))
        grid[-1][0].set_ylim(0, 1.05 * rates.top)
        _rate_legend(grid[-1][n - 1], rates, w)
    source = first.system.source.name if first.system.source else first.system.settings.title
    said = w["curves_source"].format(source=source, year=first.years[0], substance=substance)
    out.text(0.1 / wide, 0.1 / high, said, fontsize=7.5, color="#555555")
    return out


def _rate_legend(axes: Axes, row: RateRow, w: Mapping[str, str]) -> None:
    """Name the rates of the last row; a range says that it is one."""
    handles, labels = [], []
    for name, colour in zip(row.names, row.colours, strict=True):
        every = pd.concat(row.values.values())
        open_ = bool(every.loc[every["indicator"] == name, "value"].isna().any())
        handles.append(Line2D([], [], color=colour, linestyle="--" if open_ else "-"))
        said = w[f"indicator:{name}"] + (f" ({w['curve_range']})" if open_ else "")
        labels.append(_wrapped(said))
    axes.legend(handles, labels, **_BESIDE)


def _legend(axes: Axes, panel: Panel, w: Mapping[str, str], named: Names) -> None:
    """Name the areas of a row at its right, in the order in which they lie on each other."""
    labels = [label(part, panel.quantity, w, named) for part in panel.parts]
    axes.legend(
        list(axes.collections)[: len(labels)][::-1],
        labels[::-1],
        **_BESIDE,
        title=w["age_years"] if panel.quantity == "stock by age" else None,
        title_fontsize=8,
    )


def _key(quantity: str) -> str:
    return "curve_" + quantity.replace(" ", "_")


def label(part: str, quantity: str, w: Mapping[str, str], named: Names) -> str:
    """Return what a legend calls a part."""
    if part == "others":
        return w["curve_others"]
    if quantity == "supply":
        return w[f"supply_{part}"]
    if quantity == "stock by age":
        return part
    return _wrapped(named(part))


def _wrapped(name: str) -> str:
    most = _LINE // 2 + 2 if is_cjk(name) else _LINE
    return "\n".join(textwrap.wrap(name, most)[:2]) or name


def _draw(axes: Axes, panel: Panel, scenario: str) -> None:
    """Draw one quantity of one scenario as stacked areas."""
    table = panel.values[scenario]
    axes.stackplot(
        table.index,
        *(table[part] for part in panel.parts),
        colors=panel.colours,
        edgecolor="white",
        linewidth=0.4,
    )


def _finish(axes: Axes, scenario: str, years: pd.Index) -> None:
    """Give a picture its title, years and scale."""
    axes.set_title(scenario, fontsize=8.5, loc="left", pad=4)
    axes.set_xlim(years[0], years[-1])
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axes.tick_params(labelsize=8, length=3, labelbottom=True)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def as_svg(
    projections: Mapping[str, Projection], substance: str, lang: Lang, named: Names = str
) -> str:
    """Return the picture as an SVG element for a page, "" where there is nothing to show."""
    return drawn_svg(lambda: figure(projections, substance, lang, named), lang)


def drawn_svg(draw: Callable[[], Figure | None], lang: Lang) -> str:
    """Return what is drawn as an SVG element for a page, "" where nothing is.

    It is laid out in a font that comes with matplotlib and shown in the page's own.
    """
    fixed: dict[Any, Any] = {"font.family": ["DejaVu Sans"], "text.parse_math": False}
    fixed |= {"svg.fonttype": "none", "svg.hashsalt": f"mfa-{lang}"}
    with mpl.rc_context(fixed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the page's font has it
        made = draw()
        if made is None:
            return ""
        stream = io.StringIO()
        FigureCanvasSVG(made).print_svg(stream, metadata={"Date": None})  # type: ignore[no-untyped-call]
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata|style).*?</\1>\s*", "", text, flags=re.DOTALL)
    text = text.replace("<svg", '<svg style="stroke-linejoin:round;stroke-linecap:butt"', 1)
    listed = ", ".join(f"'{name}'" if " " in name else name for name in fonts(lang))
    text = re.sub(r"'DejaVu Sans'(, [^;\"]*)?", listed, text)
    return re.sub(r'width="[0-9.]+pt" height="[0-9.]+pt"', 'width="100%"', text, count=1)


def as_png(
    projections: Mapping[str, Projection], substance: str, lang: Lang, named: Names = str
) -> bytes:
    """Return the picture as PNG, b"" where there is nothing to show.

    Raises
    ------
    ChartError
        If it has Japanese text and no font on this machine can set it.
    """
    japanese = japanese_family()
    family = ["DejaVu Sans", *([japanese] if japanese else [])]
    if lang == "ja":
        family.reverse()
    settings: dict[Any, Any] = {"font.family": family, "text.parse_math": False}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box is drawn for it
        made = figure(projections, substance, lang, named)
        if made is None:
            return b""
        if not japanese and any(is_cjk(text.get_text()) for text in made.findobj(Text)):
            raise ChartError(
                "the curves have Japanese text but no Japanese font is installed; run: "
                "pip install 'mfa[ja]', or install Noto Sans CJK JP"
            )
        stream = io.BytesIO()
        made.set_dpi(150)
        FigureCanvasAgg(made).print_png(stream)  # type: ignore[no-untyped-call]
    return stream.getvalue()
