"""The sheets ``scenarios`` and ``technologies``: rows become changes, every problem by its cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from mfa.errors import Problem, SystemDefinitionError, WorkbookError, near
from mfa.scenarios.paths import INTERPOLATIONS, Change, Interpolation, Path, Point
from mfa.schema import SHEET, column_names, fold
from mfa.system import System
from mfa.system.raw import column_letters

_SHARES_CLOSE = 0.005


class Notes:
    """Problems of one sheet, named by cell; raised together."""

    def __init__(self, system: System, sheet: str) -> None:
        self.problems: list[Problem] = []
        self.sheet = sheet
        self._file = system.source.name if system.source else ""
        raw = system.sheets.get(sheet)
        names = column_names(SHEET[sheet])
        headers = () if raw is None else raw.headers
        self._letters = {names.get(fold(h), h): column_letters(j) for j, h in enumerate(headers)}
        columns = () if raw is None else raw.columns
        filled = [any(_written(cell) for cell in row) for row in zip(*columns, strict=True)]
        self._rows = [i + 2 for i, there in enumerate(filled) if there]

    def add(self, row: int, column: str, what: str, do: str, found: object = None) -> None:
        """Note a problem at a cell."""
        at = self._rows[row] if row < len(self._rows) else row + 2
        cell = f"{self._letters.get(column, 'A')}{at}"
        text = None if found is None or found != found else f"{found}"
        self.problems.append(Problem(what, do, text, self.sheet, cell, self._file))


def _written(cell: object) -> bool:
    return cell is not None and bool(str(cell).strip())


def raise_all(system: System, *notes: Notes) -> None:
    """Raise every problem found, if there is any."""
    problems = [problem for some in notes for problem in some.problems]
    if problems:
        raise (WorkbookError if system.source else SystemDefinitionError)(problems)


@dataclass(frozen=True)
class Row:
    """All rows of a scenario about one item and substance.

    Attributes
    ----------
    target, item : str
    substance : str
        "" where the sheet leaves it blank.
    paths : dict
        By change.
    row : int
        The first of its rows, for messages.
    reference : str
    """

    target: str
    item: str
    substance: str
    paths: dict[Change, Path] = field(default_factory=dict)
    row: int = 0
    reference: str = ""


def scenario_names(system: System) -> list[str]:
    """Return the scenarios of a system in the order of its sheet.

    Examples
    --------
    >>> import mfa
    >>> scenario_names(mfa.read_tables("flows/copper-regions"))
    []
    """
    table = system.tables.get("scenarios")
    return [] if table is None else list(dict.fromkeys(table["scenario"].dropna().tolist()))


def read_scenario(system: System, scenario: str | None, base_year: int, notes: Notes) -> list[Row]:
    """Return what a scenario changes, one entry per target, item and substance."""
    table = system.tables.get("scenarios")
    if scenario is None:
        return []
    names = scenario_names(system)
    if scenario not in names:
        listed = ", ".join(names) or "none"
        advice = near(scenario, names, f"the sheet 'scenarios' has: {listed}")
        notes.problems.append(
            Problem(f"there is no scenario {scenario!r}", advice, None, "scenarios", "", "")
        )
        return []
    assert table is not None
    mine = table.reset_index(drop=True)
    mine = mine[mine["scenario"] == scenario]
    mine = mine.assign(substance=mine["substance"].where(mine["substance"].notna(), ""))
    good = [i for i in mine.index if _is_whole(mine.loc[i], int(str(i)), notes)]
    out = []
    for key, rows in mine.loc[good].groupby(["target", "item", "substance"], sort=False):
        target, item, substance = map(str, key)
        paths = {}
        for change, some in rows.groupby("change", sort=False):
            name: Change = str(change)  # type: ignore[assignment]
            paths[name] = Path(name, _points(some, base_year, notes))
        reference = "; ".join(dict.fromkeys(rows["reference"].dropna().astype(str)))
        out.append(Row(target, item, substance, paths, int(rows.index[0]), reference))
    return out


def _is_whole(row: pd.Series, number: int, notes: Notes) -> bool:
    """Return whether a row says all that it has to."""
    whole = True
    for column, do in (
        ("target", "write flow, coefficient, composition, lifetime, capacity or origin"),
        ("item", "write the id of what changes"),
        ("change", "write set, multiply or add"),
        ("value", "write a number, or remove the row"),
    ):
        if row[column] is None or row[column] != row[column]:
            notes.add(number, column, f"no {column} in scenario {row['scenario']!r}", do)
            whole = False
    return whole


def _points(rows: pd.DataFrame, base_year: int, notes: Notes) -> tuple[Point, ...]:
    """Return the values of one path in the order of their years."""
    points: dict[int, Point] = {}
    item = rows["item"].iloc[0]
    for number, row in rows.iterrows():
        blank = bool(np.isnan(row["year"]))
        year = base_year + 1 if blank else int(row["year"])
        said = row["interpolation"]
        how: Interpolation = said if said in INTERPOLATIONS else "step" if blank else "linear"
        at = int(str(number))
        if year in points:
            do = "keep one of them"
            notes.add(at, "year", f"two values of {item!r} for {year}", do, year)
        if row["change"] == "multiply" and row["value"] < 0:
            notes.add(at, "value", "a negative multiple", "write 0 or more", f"{row['value']:g}")
        points[year] = Point(year, float(row["value"]), how)
    listed = sorted(points.values(), key=lambda point: point.year)
    for before, after in pairwise(listed):
        if after.how == "exponential" and (before.value <= 0 or after.value <= 0):
            _through_zero(rows, after.year, before.value, after.value, notes)
    first = listed[0]
    if first.how == "exponential" and (first.value <= 0 or rows["change"].iloc[0] == "add"):
        _through_zero(rows, first.year, 0.0, first.value, notes)
    if rows["change"].iloc[0] != "set" and listed[-1].year <= base_year:
        what = f"every year for {item!r} lies in the past: the projection starts after {base_year}"
        notes.add(int(rows.index[-1]), "year", what, "add a later year", listed[-1].year)
    return tuple(listed)


def _through_zero(rows: pd.DataFrame, year: int, before: float, after: float, notes: Notes) -> None:
    at = rows.index[rows["year"].fillna(year) == year][0]
    what = f"an exponential change from {before:g} to {after:g} passes through 0"
    notes.add(int(at), "interpolation", what, "make it linear or a step", "exponential")


@dataclass(frozen=True)
class Mix:
    """Technologies of a process for one substance, shares and intensities by year.

    Both change evenly between the years; outside of them the nearest holds.
    """

    process: str
    substance: str
    years: tuple[int, ...]
    shares: np.ndarray
    intensities: np.ndarray
    row: int

    def at(self, year: int) -> float:
        """Return Σ share × intensity in a year."""
        total = 0.0
        for share, intensity in zip(self.shares, self.intensities, strict=True):
            known = ~np.isnan(intensity)
            years = np.asarray(self.years, dtype=float)
            amount = np.interp(year, years[known], intensity[known])
            total += float(np.interp(year, years, share) * amount)
        return total


def read_technologies(system: System, notes: Notes) -> list[Mix]:
    """Return the technology mix of every process and substance."""
    table = system.tables.get("technologies")
    if table is None or table.empty:
        return []
    table = table.reset_index(drop=True)
    substance = table["substance"].where(table["substance"].notna(), system.substances[0])
    table = table.assign(substance=substance)
    whole = []
    for i, row in table.iterrows():
        lacks = [name for name in ("year", "share") if np.isnan(row[name])]
        for name in lacks:
            notes.add(int(str(i)), name, f"no {name} of {row['technology']!r}", "fill it in")
        bad = [name for name in ("share", "intensity") if row[name] < 0]
        for name in bad:
            notes.add(int(str(i)), name, f"{name} below 0", "write 0 or more", f"{row[name]:g}")
        whole.append(not lacks and not bad)
    out = []
    for key, rows in table[np.array(whole, dtype=bool)].groupby(
        ["process", "substance"], sort=False
    ):
        mix = _mix(str(key[0]), str(key[1]), rows, notes)
        if mix is not None:
            out.append(mix)
    return out


def _mix(process: str, substance: str, rows: pd.DataFrame, notes: Notes) -> Mix | None:
    """Return one mix, or None where the sheet does not give one."""
    years = sorted(set(rows["year"].astype(int)))
    names = list(dict.fromkeys(rows["technology"]))
    share = np.zeros((len(names), len(years)))
    intensity = np.full((len(names), len(years)), np.nan)
    sound = True
    seen: set[tuple[int, int]] = set()
    for i, row in rows.iterrows():
        at = names.index(row["technology"]), years.index(int(row["year"]))
        if at in seen:
            what = f"{row['technology']!r} stands twice for {int(row['year'])}"
            notes.add(int(str(i)), "technology", what, "keep one of them", row["technology"])
            sound = False
        seen.add(at)
        share[at], intensity[at] = row["share"], row["intensity"]
    for j, year in enumerate(years):
        if abs(share[:, j].sum() - 1) > _SHARES_CLOSE:
            at_year = rows.index[rows["year"] == year][-1]
            what = f"shares of {process!r}, {substance}, {year} add up to {share[:, j].sum():.4g}"
            notes.add(int(at_year), "share", what, "make them add up to 1")
            sound = False
    for k, name in enumerate(names):
        if np.isnan(intensity[k]).all():
            first = rows.index[rows["technology"] == name][0]
            what = f"no intensity of {name!r} in any year"
            notes.add(int(first), "intensity", what, "write it in one year at least")
            sound = False
    if not sound:
        return None
    return Mix(process, substance, tuple(years), share, intensity, int(rows.index[0]))


def known_item(item: str, known: Iterable[str], kind: str, row: int, notes: Notes) -> bool:
    """Return whether an item is one of those known; note it if not."""
    names = list(known)
    if item in names:
        return True
    do = near(item, names, f"write the id of a {kind}")
    notes.add(row, "item", f"{item!r} is no {kind}", do, item)
    return False
