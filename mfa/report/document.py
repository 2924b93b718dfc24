"""The report page as one HTML document that needs nothing from elsewhere, in every language.

Each language is an edition of its own within the document, and one of them is shown. The document
forbids the browser every request, and every script but its own, which it names by their hashes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import unescape

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mfa import __version__
from mfa.balance import Balance
from mfa.report.page import Page
from mfa.report.sections import SECTIONS, Charts, Section
from mfa.report.verdict import verdict
from mfa.report.words import LANGS, Lang
from mfa.sankey.chart import sankey
from mfa.sankey.interactive import figure_script, figure_style
from mfa.sankey.svg import fonts

# What HTML and UTF-8 do not allow in a document.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n')


@dataclass(frozen=True, eq=False)
class Edition:
    """A page in one language with its charts, by substance."""

    page: Page
    charts: Charts


def edition(balance: Balance, lang: Lang) -> Edition:
    """Return the edition in a language, its charts drawn."""
    page = Page(balance, lang)
    years: dict[str, list[int]] = {}
    for substance, year in page.labels:
        years.setdefault(substance, []).append(year)
    return Edition(page, {name: sankey(balance, some, name, lang) for name, some in years.items()})


def editions(balance: Balance, lang: Lang) -> tuple[Edition, ...]:
    """Return the editions in every language, the one asked for first."""
    rest = [other for other in LANGS if other != lang]
    return tuple(edition(balance, one) for one in (lang, *rest))


def render(pages: Sequence[Edition], *, draft: bool = False) -> str:
    """Return the document.

    Parameters
    ----------
    pages : sequence of Edition
        The first is shown at first.
    draft : bool
        Whether to go without the sections that take long to work out.

    Examples
    --------
    >>> import mfa, networkx as nx
    >>> graph = nx.MultiDiGraph(unit="t/yr", substances="Cu", year=2020)
    >>> graph.add_nodes_from([("Mine", {"kind": "source"}), ("Market", {"kind": "sink"})])
    >>> _ = graph.add_edge("Mine", "Market", key="ore", value=5.0, sd=1.0)
    >>> balance = mfa.reconcile(mfa.System.from_graph(graph))
    >>> render(editions(balance, "ja")).splitlines()[1]
    '<html lang="ja">'
    """
    scripts = [_FORBIDDEN.sub("\ufffd", text) for text in (figure_script(), _asset("page.js"))]
    text = (
        _environment()
        .get_template("page.html.j2")
        .render(
            editions=[_frame(one, draft) for one in pages],
            policy=_policy(scripts),
            style=_style(),
            scripts=scripts,
        )
    )
    return _FORBIDDEN.sub("\ufffd", text)


def served(document: str) -> tuple[str, str]:
    """Split a document from its policy, to which a script from the page's own server is added."""
    found = _POLICY.search(document)
    policy = unescape(found[1]) if found else "default-src 'none'"
    return _POLICY.sub("", document, count=1), policy.replace("script-src", "script-src 'self'")


@cache
def _environment() -> Environment:
    loader = PackageLoader("mfa.report", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


@cache
def _asset(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _policy(scripts: list[str]) -> str:
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
    listed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        f"default-src 'none'; script-src {listed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _style() -> str:
    text = _asset("style.css")
    for lang in LANGS:
        families = ("system-ui", *fonts(lang))
        listed = ", ".join(f"'{name}'" if " " in name else name for name in families)
        text = text.replace(f"FONTS_{lang.upper()}", listed)
    return f"{text}\n{figure_style()}"


def _frame(one: Edition, draft: bool) -> dict[str, object]:
    """Return what stands in and around the sections: words, titles, verdict and provenance."""
    page = one.page
    system, settings = page.balance.system, page.balance.system.settings
    local = settings.title_ja if page.lang == "ja" else ""
    name = system.source.name if system.source else ""
    first, last = system.years[0], system.years[-1]
    parts = (
        page.words.get(f"country:{settings.region}", settings.region),
        ", ".join(system.substances),
        page.unit,
        f"{first}–{last}" if last > first else str(last),
        name,
    )
    return {
        "w": page.words,
        "lang": page.lang,
        "title": local or settings.title or name or page.words["report"],
        "subtitle": " · ".join(part for part in parts if part),
        "verdict": verdict(page, draft),
        "sections": [_shown(each, one, draft) for each in SECTIONS if each.there(page)],
        "source": name,
        "sha256": system.source.sha256 if system.source else "",
        "version": __version__,
        "description": settings.description,
    }


def _shown(section: Section, one: Edition, draft: bool) -> dict[str, object]:
    """Return heading and body of a section."""
    page, words = one.page, one.page.words
    about: dict[str, object] = {"name": section.name, "heading": words[section.name]}
    if draft and section.slow:
        return about | {"body": Markup('<p class="pending">{}</p>').format(words["pending"])}
    common: dict[str, object] = {
        "w": words,
        "comma": page.comma,
        "unit": page.unit,
        "several_substances": len(page.balance.system.layers) > 1,
    }
    values = common | section.lists(page, one.charts)
    template = _environment().get_template(f"sections/{section.name}.html.j2")
    return about | {"body": Markup(template.render(**values, common=values))}  # noqa: S704 escaped there
