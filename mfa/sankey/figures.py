"""How quantities are written on the chart."""

from __future__ import annotations

import math

from mfa.sankey.diagram import Quantity
from mfa.sankey.style import Words

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_number(value: float, digits: int = 3) -> str:
    """Write a number with thousands separators and as many digits as matter.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        Significant digits; whole numbers below 10,000 keep all theirs and larger ones four.

    Examples
    --------
    >>> [format_number(x) for x in (21134.2, 1218.7, 351.6, 60.62, 22.0, 0.01234, -5.1, 0.0)]
    ['21,130', '1,219', '352', '60.6', '22', '0.0123', '−5.1', '0']
    >>> format_number(3.2e12), format_number(7e-6)
    ('3.2×10¹²', '7×10⁻⁶')
    """
    if not math.isfinite(value):
        return "?"
    if value == 0:
        return "0"
    sign, size = ("−" if value < 0 else ""), abs(value)
    exponent = math.floor(math.log10(size))
    if exponent >= 9 or exponent < -4:
        mantissa = f"{size / 10.0**exponent:.{digits - 1}f}"
        if mantissa.startswith("10"):
            mantissa, exponent = "1", exponent + 1
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{sign}{mantissa}×10{str(exponent).translate(_SUPERSCRIPT)}"
    decimals = (max(digits, 4) if exponent >= 3 else digits) - 1 - exponent
    text = f"{round(size, decimals):,.{max(decimals, 0)}f}"
    return sign + (text.rstrip("0").rstrip(".") if "." in text else text)


def _format_sd(sd: float) -> str:
    return format_number(sd, 2 if sd < 100 else 3)


def is_determined(quantity: Quantity) -> bool:
    """Whether a quantity has a value that may be shown as such."""
    return (
        quantity.value is not None
        and math.isfinite(quantity.value)
        and quantity.status != "undetermined"
    )


def _limit(bound: float | None) -> float | None:
    return bound if bound is not None and math.isfinite(bound) else None


def limits(quantity: Quantity) -> tuple[float | None, float | None]:
    """Return the range of a quantity, None for a side that is unlimited."""
    return _limit(quantity.low), _limit(quantity.high)


def midpoint(quantity: Quantity) -> float | None:
    """Return the middle of the range of a quantity, None if a side is unlimited.

    Examples
    --------
    >>> midpoint(Quantity(None, low=0.0, high=880.0))
    440.0
    """
    low, high = limits(quantity)
    return None if low is None or high is None else (low + high) / 2


def format_quantity(quantity: Quantity, words: Words, signed: bool = False) -> str:
    """Write a quantity as ``value ± sd``, as its range, or as ``?``.

    Parameters
    ----------
    quantity : Quantity
        The quantity.
    words : Words
        The chart's words in its language.
    signed : bool
        Whether to write a plus sign before positive values, as for net additions.

    Examples
    --------
    >>> from mfa.sankey.style import EN
    >>> format_quantity(Quantity(21134.2, 2110.0), EN)
    '21,130 ± 2,110'
    >>> format_quantity(Quantity(None, low=0.0, high=880.0, status="undetermined"), EN)
    '0–880'
    >>> format_quantity(Quantity(None, low=12.0), EN)
    '≥ 12'
    >>> format_quantity(Quantity(1000.0, 150.0, assumed=True), EN)
    '1,000 ± 150*'
    """
    star = "*" if quantity.assumed else ""
    value, sd = quantity.value, quantity.sd
    if value is None or not is_determined(quantity):
        return _format_range(quantity, words, signed) + star
    plus = "+" if signed and value > 0 else ""
    text = plus + format_number(value)
    if sd is not None and math.isfinite(sd) and sd > 1e-6 * abs(value):
        text += f" ± {_format_sd(sd)}"
    return text + star


def _format_range(quantity: Quantity, words: Words, signed: bool) -> str:
    low, high = limits(quantity)
    if low is None and high is None:
        return "?"
    if low is None or high is None:
        sign, bound = ("≥", low) if high is None else ("≤", high)
        return f"{sign} {format_number(bound or 0.0)}"
    texts = [format_number(bound) for bound in (low, high)]
    if signed:
        texts = [
            "+" + text if bound > 0 else text
            for text, bound in zip(texts, (low, high), strict=True)
        ]
    # A dash before a minus sign reads badly.
    mark = words.range_mark if low >= 0 and high >= 0 and not signed else " … "
    return mark.join(texts)
