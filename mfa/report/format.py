"""How numbers are written on the report page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mfa.sankey.figures import format_number

_THINNEST = 0.4  # percent of a track
SMALLEST_SD = 5e-5  # of a share: what two decimals of a percent can show


def some_years(years: Sequence[int], most: int = 6) -> list[int]:
    """Return the years that a table across has room for, the first and the last among them.

    Examples
    --------
    >>> some_years(range(2015, 2020)), some_years(range(1900, 2016), 5)
    ([2015, 2016, 2017, 2018, 2019], [1900, 1929, 1958, 1986, 2015])
    """
    n = len(years)
    if n <= most:
        return list(years)
    return [years[round(k * (n - 1) / (most - 1))] for k in range(most)]


def known(value: object) -> bool:
    """Return whether a cell of a table holds a number."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def plus_minus(value: float, sd: float) -> str:
    """Write value ± sd, the sd with two digits and the value to the same place.

    Examples
    --------
    >>> plus_minus(1228.814, 9.87), plus_minus(21100.0, 2110.0), plus_minus(22.0, math.nan)
    ('1,228.8 ± 9.9', '21,100 ± 2,100', '22')
    >>> plus_minus(math.nan, 1.0)
    ''
    """
    if not known(value):
        return ""
    if not known(sd) or sd <= 0:
        return format_number(value)
    place = 1 - math.floor(math.log10(sd))
    if abs(value) >= 1e9 or place > 9:
        return f"{format_number(value)} ± {format_number(sd)}"
    digits = max(place, 0)
    shown = [f"{round(number, place) + 0.0:,.{digits}f}" for number in (value, sd)]
    return f"{shown[0].replace('-', '−')} ± {shown[1]}"


def low_high(low: float, high: float, words: Mapping[str, str]) -> str:
    """Write a range; an end without limit is said so in words, one that has closed as one number.

    Examples
    --------
    >>> words = {"unlimited": "no upper limit", "unlimited_below": "no lower limit"}
    >>> low_high(0.0, 887.4, words), low_high(-5.0, 3.0, words), low_high(5.0, math.nan, words)
    ('0–887', '−5 … 3', '5 – no upper limit')
    >>> low_high(12.5, 12.50001, words)
    '12.5'
    """
    left = format_number(low) if known(low) else words["unlimited_below"]
    right = format_number(high) if known(high) else words["unlimited"]
    if not (known(low) and known(high)):
        return f"{left} – {right}"
    return between(left, right)


def between(left: str, right: str) -> str:
    """Write a range between two numbers as shown; one number where they are shown alike.

    Examples
    --------
    >>> between("12.0", "12.5"), between("−3", "2"), between("12.5", "12.5")
    ('12.0–12.5', '−3 … 2', '12.5')
    """
    if left == right:
        return left
    return f"{left} … {right}" if left.startswith("−") else f"{left}–{right}"


def fixed(value: float, digits: int) -> str:
    """Write a number with so many decimals, nothing where it is unknown.

    Examples
    --------
    >>> fixed(-44.23, 1), fixed(-0.01, 1), fixed(math.nan, 1)
    ('−44.2', '0.0', '')
    """
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−") if known(value) else ""


def percent(share: float) -> str:
    """Write a share in percent with a sensible number of digits.

    Examples
    --------
    >>> percent(0.34792), percent(0.00931), percent(1.0)
    ('34.8 %', '0.9 %', '100 %')
    """
    value = round(100 * share, 9)
    digits = 0 if value == round(value) else 1
    return f"{fixed(value, digits)} %"


def chance(probability: float) -> str:
    """Write a probability in whole percent, never one of 0 or 100 % that is not quite that.

    Examples
    --------
    >>> chance(0.8267), chance(0.004), chance(0.998), chance(1.0), chance(math.nan)
    ('83 %', '< 1 %', '> 99 %', '100 %', '')
    """
    if not known(probability):
        return ""
    if 0 < probability < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < probability < 1 else percent(round(probability, 2))


def percent_sd(share: float, sd: float) -> str:
    """Write a share ± sd in percent, to two digits of the sd; one too small is left out.

    Examples
    --------
    >>> percent_sd(0.407, 0.1432), percent_sd(1.0, 1e-9)
    ('41 ± 14 %', '100 %')
    >>> percent_sd(0.339, 0.0131), percent_sd(0.339, 0.0995), percent_sd(0.3391, 0.0005)
    ('33.9 ± 1.3 %', '34 ± 10 %', '33.91 ± 0.05 %')
    """
    if not known(sd) or sd < SMALLEST_SD:
        return percent(share)
    digits = 2 if 100 * sd < 0.1 else 1 if 100 * sd < 9.95 else 0
    return f"{fixed(100 * share, digits)} ± {fixed(100 * sd, digits)} %"


def p_words(p: float) -> str:
    """Write a p-value with its relation: ``= 0.034`` or ``< 0.001``."""
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"


def bar(low: float, high: float, full: float) -> dict[str, float]:
    """Return where a bar starts and how wide it is, in percent; it never leaves its track.

    Examples
    --------
    >>> bar(20.0, 60.0, 80.0), bar(-1.0, 9.0, 4.0)
    ({'left': 25.0, 'width': 50.0}, {'left': 0.0, 'width': 100.0})
    """
    left, right = (100 * min(max(end / full, 0.0), 1.0) for end in (low, high))
    left = min(left, 100 - _THINNEST)
    return {"left": left, "width": max(right - left, _THINNEST)}
