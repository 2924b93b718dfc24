"""Numbers as they are written, and text as it is measured and wrapped."""

from __future__ import annotations

import pytest

from mfa.sankey.diagram import Quantity
from mfa.sankey.figures import format_number, format_quantity
from mfa.sankey.style import EN
from mfa.sankey.text import clean, is_cjk, text_width, wrap


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1295.4, "1,295"),
        (9999.6, "10,000"),
        (21134.2, "21,130"),
        (1234567.0, "1,235,000"),
        (999.6, "1,000"),
        (99.96, "100"),
        (60.62, "60.6"),
        (22.0, "22"),
        (0.9996, "1"),
        (0.01234, "0.0123"),
        (1.234e-6, "1.23×10⁻⁶"),
        (9.9996e-6, "1×10⁻⁵"),
        (1.5e12, "1.5×10¹²"),
        (-5.1, "−5.1"),
        (float("nan"), "?"),
        (float("inf"), "?"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (Quantity(1219.0, 11.87), "1,219 ± 12"),
        (Quantity(352.0, 3.5), "352 ± 3.5"),
        (Quantity(21100.0, 2110.0), "21,100 ± 2,110"),
        (Quantity(26.0), "26"),
        (Quantity(26.0, 0.0), "26"),
        (Quantity(26.0, 1e-12), "26"),
        (Quantity(0.0, 5.0), "0 ± 5"),
        (Quantity(1000.0, 150.0, assumed=True), "1,000 ± 150*"),
        (Quantity(None), "?"),
        (Quantity(None, low=0.0, high=880.0), "0–880"),
        (Quantity(None, low=12.0), "≥ 12"),
        (Quantity(None, high=12.0), "≤ 12"),
        (Quantity(None, low=-50.0, high=30.0), "−50 … 30"),
        (Quantity(None, low=0.0, high=float("inf")), "≥ 0"),
        # A value without meaning is not shown as if it had one.
        (Quantity(7.0, low=0.0, high=880.0, status="undetermined"), "0–880"),
        (Quantity(float("nan"), low=1.0, high=2.0), "1–2"),
    ],
)
def test_quantities(quantity: Quantity, text: str) -> None:
    assert format_quantity(quantity, EN) == text


def test_net_additions_carry_their_sign() -> None:
    assert format_quantity(Quantity(240.0, 50.0), EN, signed=True) == "+240 ± 50"
    assert format_quantity(Quantity(-5.1), EN, signed=True) == "−5.1"
    assert format_quantity(Quantity(None, low=-4.0, high=9.0), EN, signed=True) == "−4 … +9"


def test_width_grows_with_size_and_weight() -> None:
    assert text_width("Smelter", 20.0) == pytest.approx(2 * text_width("Smelter", 10.0))
    assert text_width("Smelter", 10.0, bold=True) > text_width("Smelter", 10.0)
    assert text_width("銅の循環", 10.0) == 40.0
    # Japanese fonts set ± on a full square.
    assert text_width("±", 10.0, wide=True) == 10.0 > text_width("±", 10.0)


@pytest.mark.parametrize(
    "text",
    [
        "Collection and dismantling of end-of-life vehicles",
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "使用済自動車・家電製品の回収と解体",
        "リサイクルプラスチックスクラップ業者 (E-scrap) 2018",
        "a & b & c",
    ],
)
@pytest.mark.parametrize("limit", [40.0, 75.0, 400.0])
def test_wrapped_lines_fit_and_lose_nothing(text: str, limit: float) -> None:
    lines = wrap(text, limit, 10.0)
    assert all(text_width(line, 10.0) <= limit for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert (len(lines) == 1) == (text_width(text, 10.0) <= limit)


def test_lines_of_a_paragraph_are_of_like_length() -> None:
    widths = [text_width(line, 10.0) for line in wrap("aaaa bbbb cccc dddd eeee", 130.0, 10.0)]
    assert len(widths) == 2
    assert min(widths) > 0.6 * max(widths)


def test_japanese_punctuation_begins_no_line() -> None:
    for limit in range(50, 90, 5):
        lines = wrap("銅、鉄、鋼。(回収)ー・スクラップ", float(limit), 10.0)
        assert not any(line[0] in "、。)ー・" for line in lines if len(line) > 1)


def test_clean_leaves_one_line_of_printable_text() -> None:
    assert clean("  a\n b\t\x07c\x00 ") == "a b c"
    assert clean("銅\u3000線") == "銅 線"


def test_cjk_is_found() -> None:
    assert is_cjk("Cu 銅")
    assert is_cjk("ア")
    assert not is_cjk("Aluminium ± µm")
