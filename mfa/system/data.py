"""The data columns that every data row may carry: unit, uncertainty, limits, origin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from mfa.errors import UnitError
from mfa.system.columns import frame_of, spread
from mfa.system.findings import Findings
from mfa.system.parsed import ParsedSheet
from mfa.units import Unit, parse_unit

_DEFAULTS = {
    "distribution": "normal",
    "basis": "statistic",
    "include": True,
    "reference": "",
    "note": "",
}


class Checker:
    """Notes a problem for every row of a sheet in which a condition holds.

    Rows whose cell cannot be used, in the column named or in those that the condition ``reads``,
    are left out: that cell is reported already, and nothing follows from it.
    """

    def __init__(self, sheet: ParsedSheet, findings: Findings) -> None:
        self.sheet, self.findings = sheet, findings

    def error(
        self, mask: np.ndarray, column: str, what: str, do: str, reads: Sequence[str] = ()
    ) -> None:
        """Note an error at a column's cell in every row; ``{name}`` is filled in from the row."""
        self._note(self.findings.error, mask, [column, *reads], what, do)

    def warning(
        self, mask: np.ndarray, column: str, what: str, do: str, reads: Sequence[str] = ()
    ) -> None:
        """Note a warning at a column's cell in every row of the mask."""
        self._note(self.findings.warning, mask, [column, *reads], what, do)

    def _note(
        self, note: Callable[..., None], mask: np.ndarray, columns: list[str], what: str, do: str
    ) -> None:
        column = columns[0]
        rows = np.flatnonzero(mask & ~self.sheet.is_bad(*columns)).tolist()
        if not rows:
            return
        frame = self.sheet.frame.iloc[rows]
        records = frame.to_dict("records") if "{" in what else [{}] * len(rows)
        for i, value, record in zip(rows, frame[column].tolist(), records, strict=True):
            shown = {str(name): plain(cell) for name, cell in record.items()}
            words = what.format_map({k: "?" if v is None else v for k, v in shown.items()})
            note(words if record else what, do, plain(value), self.sheet.place(i, column))


def plain(value: object) -> object:
    """Write a cell without a needless decimal point; None for a blank one."""
    if isinstance(value, float):
        return None if math.isnan(value) else f"{value:g}"
    return value


def unit_factors(
    sheet: ParsedSheet, base: np.ndarray, units: dict[str, Unit], findings: Findings
) -> np.ndarray:
    """Return what each row's numbers are multiplied by to be in the system's unit.

    Parameters
    ----------
    sheet : ParsedSheet
        Rows with a column ``unit``.
    base : array of str or None, shape (n,)
        For each row the key in ``units`` of what it is to be converted into; None where that is
        not known, because the cell that says so cannot be used.
    units : dict
        Target units: of rates, masses, shares.
    """
    factors = np.ones(len(base))
    texts = sheet.coded("unit")
    given = np.flatnonzero(~texts.blank)
    meant, keys = pd.factorize(base[given], use_na_sentinel=False)
    pairs = texts.codes[given] * len(keys) + meant
    for pair in pd.unique(pairs).tolist():
        rows = given[pairs == pair]
        text = texts.values[pair // len(keys)]
        key = keys[pair % len(keys)]
        try:
            unit = parse_unit(text)
        except UnitError as error:
            what, _, do = str(error).partition("; ")
            for i in rows:
                findings.error(what, do, text, sheet.place(int(i), "unit"))
            continue
        if pd.isna(key):
            continue
        target = units[key]
        if unit.dimension == "mass" and target.dimension == "rate":
            unit = parse_unit(f"{unit.name}/yr")
            findings.warning(
                f"unit: {text} is a mass where a mass per year is meant, read as {unit.name} "
                f"({len(rows)} rows)",
                f"write {unit.name}",
                text,
                sheet.place(int(rows[0]), "unit"),
            )
        if unit.dimension != target.dimension:
            for i in rows:
                findings.error(
                    f"unit: {text} is {_NOUN[unit.dimension]}, not {_NOUN[target.dimension]}",
                    _ADVICE[target.dimension].format(target.name),
                    text,
                    sheet.place(int(i), "unit"),
                )
            continue
        factors[rows] = unit.size / target.size
    return factors


_NOUN = {"mass": "a mass", "rate": "a mass per year", "share": "a share"}
_MULTIPLE = "write it in {} or a multiple of it"
_ADVICE = {"mass": _MULTIPLE, "rate": _MULTIPLE, "share": "write 1, kg/kg, % or ppm"}


def read_data(
    sheet: ParsedSheet,
    factors: np.ndarray,
    default_cv: float | None,
    findings: Findings,
    *,
    needs_sd: np.ndarray,
) -> pd.DataFrame:
    """Return value, sd, min, max in the system's unit and the other data columns with defaults.

    Parameters
    ----------
    sheet : ParsedSheet
        The rows.
    factors : array, shape (n,)
        From `unit_factors`.
    default_cv : float or None
        Relative sd of rows that state none.
    needs_sd : array of bool, shape (n,)
        Rows whose value must have an uncertainty; a hard limit (``<=``) has none.

    Returns
    -------
    DataFrame
        Columns value, sd, min, max, distribution, basis, include, reference, note, cell.
    """
    frame, check = sheet.frame, Checker(sheet, findings)
    value, sd, cv = (frame[name].to_numpy(dtype=float) for name in ("value", "sd", "cv"))
    low, high = (frame[name].to_numpy(dtype=float) for name in ("min", "max"))
    known = ~np.isnan(value)
    advice = "write one of the two"
    check.error(~np.isnan(sd) & ~np.isnan(cv), "cv", "both sd and cv are given", advice, ["sd"])
    check.error(sd < 0, "sd", "sd is negative", "write a number of at least 0")
    check.error(cv < 0, "cv", "cv is negative", "write a number of at least 0")
    check.warning(
        cv > 1,
        "cv",
        "an uncertainty larger than the value itself: cv {cv} means {cv} times the value",
        "write 5 % as 0.05 or 5%; if it is meant, nothing",
    )
    check.error(low > high, "min", "min is above max", "correct one of the two", ["max"])
    stated = ~np.isnan(sd) | ~np.isnan(cv)
    check.warning(
        ~known & stated & needs_sd,
        "value",
        "an uncertainty stands beside a blank value and is not used",
        "write the value, or clear sd and cv",
    )
    if default_cv is None:
        check.error(
            known & ~stated & needs_sd,
            "value",
            "the value has no uncertainty",
            "write sd or cv in its row, or default_cv in the sheet 'system'; sd 0 makes it exact",
            ["sd", "cv"],
        )
    share = np.where(np.isnan(cv), math.nan if default_cv is None else default_cv, cv)
    sd = np.where(np.isnan(sd), share * np.abs(value), sd) * factors
    out = {
        "value": value * factors,
        "sd": np.where(known, sd, math.nan),
        "min": low * factors,
        "max": high * factors,
    }
    for name, default in _DEFAULTS.items():
        cells = sheet.coded(name)
        out[name] = spread(
            cells.values.astype(bool if default is True else object), cells.codes, default
        )
    return frame_of({**out, "cell": pd.Series(sheet.places("value"), copy=False)})
