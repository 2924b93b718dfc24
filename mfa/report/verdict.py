"""The three sentences on top: how well the data agree, how much comes back, the worst loss."""

from __future__ import annotations

from mfa.report import format as fmt
from mfa.report.contradictions import first_look
from mfa.report.page import Page
from mfa.sankey.figures import format_number

_HEADLINES = ("recycling_input_rate_total", "eol_recycling_rate")
_LEVEL = 0.05


def verdict(page: Page, draft: bool = False) -> list[str]:
    """Return the sentences on top of the page; a draft goes without what takes long."""
    back = page.words["pending_back"] if draft else _comes_back(page)
    sentences = (_agreement(page), back, _worst_loss(page))
    return [_together(sentence) for sentence in sentences if sentence]


def _together(sentence: str) -> str:
    """Keep numbers, their sd and % on one line."""
    return sentence.replace(" ± ", "\u00a0±\u00a0").replace(" %", "\u00a0%")


def _agreement(page: Page) -> str:
    balance, words = page.balance, page.words
    if not balance.dof:
        return words["verdict_none"]
    chi2 = format_number(balance.chi2)
    if balance.p_value >= _LEVEL:
        p = f"{balance.p_value:.2g}"
        return words["verdict_agree"].format(chi2=chi2, dof=balance.dof, p=p)
    p_words, where = fmt.p_words(balance.p_value), first_look(page)
    return words["verdict_clash"].format(chi2=chi2, dof=balance.dof, p_words=p_words, where=where)


def _comes_back(page: Page) -> str:
    first, second = (_rate(page, indicator) for indicator in _HEADLINES)
    if not (first and second):
        return ""
    return page.words["back"].format(year=page.year, first=first, second=second)


def _rate(page: Page, indicator: str) -> str:
    """Return what is known of an indicator, as part of a sentence."""
    table, words = page.indicators, page.words
    here = table[
        (table["indicator"] == indicator)
        & (table["year"] == page.year)
        & (table["substance"] == page.substance)
    ]
    if here.empty:
        return ""
    row = here.iloc[0]
    name = words[f"indicator:{indicator}"]
    name = f"the {name[0].lower()}{name[1:]}" if page.lang == "en" else name
    if len(page.balance.system.substances) > 1:
        name = words["of_substance"].format(name=name, substance=page.substance)
    if fmt.known(row["value"]):
        value = fmt.percent_sd(row["value"], row["sd"])
        return words["back_known"].format(name=name, value=value)
    if row["missing"] or not fmt.known(row["high"]):
        return words["back_missing"].format(name=name)
    low, high = fmt.percent(row["low"]), fmt.percent(row["high"])
    return words["back_open"].format(name=name, low=low, high=high)


def _worst_loss(page: Page) -> str:
    table = page.bottlenecks
    here = table[(table["year"] == page.year) & (table["substance"] == page.substance)]
    if here.empty:
        return ""
    worst = here.iloc[0]
    value = fmt.plus_minus(worst["value"], worst["sd"])
    shown = value or fmt.low_high(worst["low"], worst["high"], page.words)
    several = len(page.balance.system.substances) > 1
    unit = f"{page.unit} ({page.substance})" if several else page.unit
    likely = fmt.known(worst["probability"])
    key = "worst_likely" if likely else "worst_known" if value else "worst_open"
    p = fmt.chance(worst["probability"])
    return page.words[key].format(
        name=page.process_name(worst["item"]), value=f"{shown} {unit}", p=p
    )


def next_number(page: Page) -> str:
    """Return which number to survey first, "" if none helps."""
    if page.survey.empty:
        return ""
    best = page.survey.iloc[0]
    name = page.item_name(best["item"], best["kind"], best["substance"])
    if best["width_now"] > 0:
        ends = {end: f"{100 * best[f'width_{end}']:.0f}" for end in ("now", "then")}
        return page.words["next_number"].format(name=name, **ends)
    ends = {end: f"{100 * best[f'sd_{end}']:.1f}" for end in ("now", "then")}
    return page.words["next_number_sd"].format(name=name, **ends)
