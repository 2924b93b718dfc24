"""Charts as HTML: a figure to put into any page, and a page with nothing but a figure.

A figure is plain HTML: the pictures as inline SVG and a table of their data. The script finds the
figures of a page by their class and needs no data of its own, so nothing passes from names into
code, and without script or style everything can still be read. Nothing is fetched from elsewhere.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.resources import files

from mfa.sankey.diagram import Diagram, Link, Part
from mfa.sankey.figures import format_number, format_quantity
from mfa.sankey.geometry import Drawing
from mfa.sankey.style import words
from mfa.sankey.svg import fonts, to_svg
from mfa.sankey.text import clean
from mfa.sankey.words import TEXT

# What HTML and UTF-8 do not allow in a document.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLUMNS = ("flow", "way", "result", "status", "observed", "cell", "reference")
_STILL = 0.05  # sd; a smaller adjustment is none


@cache
def figure_style() -> str:
    """Return the style sheet that figures need, once per page."""
    return files("mfa.sankey").joinpath("chart.css").read_text("utf-8")


@cache
def figure_script() -> str:
    """Return the script that makes figures answer, once per page and after them."""
    return files("mfa.sankey").joinpath("chart.js").read_text("utf-8")


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))


def _data(**values: str | None) -> str:
    """Return ``data-`` attributes; None is left out."""
    parts = ((name, value) for name, value in values.items() if value is not None)
    return "".join(f' data-{name}="{_text(value)}"' for name, value in parts)


def _observed(part: Part, diagram: Diagram) -> str:
    text, evidence = TEXT[diagram.lang], part.evidence
    if evidence.observed is None:
        return f"<small>{_text(text['blank'])}</small>"
    shown = _text(format_quantity(evidence.observed, words(diagram.lang)))
    remarks = [] if evidence.included else [text["left_out"]]
    if evidence.adjustment is not None and abs(evidence.adjustment) > _STILL:
        remarks.append(text["moved"].format(format_number(evidence.adjustment, 2)))
    return "<br>".join([shown, *(f"<small>{_text(remark)}</small>" for remark in remarks)])


def _row(diagram: Diagram, part: Part, way: str, data: str, signed: bool = False) -> str:
    text, evidence = TEXT[diagram.lang], part.evidence
    number = format_quantity(part.quantity, words(diagram.lang), signed=signed)
    source = _text(evidence.reference)
    if evidence.note:
        source += f" <small>{_text(evidence.note)}</small>"
    cells = (
        f'<th scope="row">{_text(clean(part.label) or part.flow)}</th>',
        f"<td>{_text(way)}</td>",
        f'<td class="n">{_text(number)}</td>',
        f"<td>{_text(text['status:' + part.quantity.status])}</td>",
        f'<td class="n">{_observed(part, diagram)}</td>',
        f"<td>{_text(evidence.cell)}</td>",
        f"<td>{source}</td>",
    )
    return f"<tr{data}>{''.join(cells)}</tr>"


def _link_rows(diagram: Diagram, link: Link, names: dict[str, str]) -> list[str]:
    outside = TEXT[diagram.lang]["outside"]
    ends = [outside if end is None else names[end] for end in (link.source, link.target)]
    data = _data(link=link.id, **{"from": link.source, "to": link.target})
    parts = link.parts or (Part("", link.label, link.quantity),)
    return [_row(diagram, part, " → ".join(ends), data) for part in parts]


def _table(diagram: Diagram) -> str:
    """Return every number of a diagram with its source, as a table."""
    text = TEXT[diagram.lang]
    names = {node.id: clean(node.label) or node.id for node in diagram.nodes}
    place = {node.id: at for at, node in enumerate(diagram.nodes)}
    links = sorted(
        (link for link in diagram.links if not link.absent),
        key=lambda k: (place.get(k.source or "", -1), place.get(k.target or "", -1), k.id),
    )
    rows = [row for link in links for row in _link_rows(diagram, link, names)]
    for node in diagram.nodes:
        for part in node.stock.parts if node.stock else ():
            signed = part.quantity == node.stock.change if node.stock else False
            rows.append(_row(diagram, part, names[node.id], _data(node=node.id), signed))
    heads = "".join(f'<th scope="col">{_text(text[name])}</th>' for name in _COLUMNS)
    caption = f"{clean(diagram.title)}: {clean(diagram.subtitle)}"
    return (
        f"<table><caption>{_text(caption)}</caption><thead><tr>{heads}</tr></thead>\n"
        f"<tbody>\n{chr(10).join(rows)}\n</tbody></table>"
    )


def _slider(diagrams: tuple[Diagram, ...]) -> str:
    last = len(diagrams) - 1
    if not last:
        return ""
    word = TEXT[diagrams[0].lang]["year"]
    return (
        f'<div class="mfa-years" hidden><label><span>{_text(word)}</span>'
        f'<input type="range" min="0" max="{last}" step="1" value="{last}"></label>'
        f"<output>{_text(diagrams[-1].label)}</output></div>\n"
    )


def to_figure_html(diagrams: tuple[Diagram, ...], drawings: tuple[Drawing, ...]) -> str:
    """Return an HTML ``figure`` with one or more charts of which one is shown at a time.

    Parameters
    ----------
    diagrams : tuple of Diagram
        What the charts show, such as one per year; at least one.
    drawings : tuple of Drawing
        Their geometry, in the same order; on one scale and in the same places if they are to be
        compared, see `mfa.sankey.layout.layout_all`.

    Returns
    -------
    str
        The figure. The page that takes it needs `figure_style` and `figure_script` once.
    """
    text = TEXT[diagrams[0].lang]
    several = len(diagrams) > 1
    frames = []
    for diagram, drawing in zip(diagrams, drawings, strict=True):
        heading = f"<h3>{_text(diagram.label)}</h3>\n" if several else ""
        label = _data(label=diagram.label)
        frames.append(f'<div class="mfa-frame"{label}>{heading}{to_svg(drawing)}</div>\n')
    keys = (("up", "upstream"), ("down", "downstream"), ("both", "both"))
    key = "".join(
        f'<span class="mfa-{css}"><i></i>{_text(text[word])}</span>' for css, word in keys
    )
    tables = "\n".join(_table(diagram) for diagram in diagrams)
    return (
        f'<figure class="mfa-chart" lang="{diagrams[0].lang}">\n{_slider(diagrams)}'
        f"{''.join(frames)}"
        f'<p class="mfa-hint" hidden>{_text(text["hint"])}</p>\n'
        f'<div class="mfa-key" hidden>{key}</div>\n'
        '<div class="mfa-picked" role="status"></div>\n'
        f'<details class="mfa-data"><summary>{_text(text["data"])}</summary>\n{tables}\n'
        "</details>\n</figure>\n"
    )


def to_html(diagrams: tuple[Diagram, ...], drawings: tuple[Drawing, ...]) -> str:
    """Return a page with nothing but a figure, see `to_figure_html`; it needs no network."""
    first = diagrams[0]
    families = ", ".join(f"'{name}'" if " " in name else name for name in fonts(first.lang))
    # The policy forbids every request, whatever a later edit of the page may hold.
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="{first.lang}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}; img-src data:">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{_text(clean(first.title))}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>\nbody {{ margin: 12px; font: 15px/1.5 {families}; color: #1f1f1f; }}\n"
        "@page { size: A4 landscape; margin: 12mm; }\n"
        f"{figure_style()}</style>\n</head>\n<body>\n"
        f"{to_figure_html(diagrams, drawings)}<script>\n{figure_script()}</script>\n"
        "</body>\n</html>\n"
    )
