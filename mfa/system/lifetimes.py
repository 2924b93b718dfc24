"""The sheet ``lifetimes``: its checks, and what it says of the cohorts of a stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mfa.errors import StockError
from mfa.stocks import (
    Fixed,
    FoldedNormal,
    Gamma,
    Lifetime,
    LogNormal,
    Normal,
    Weibull,
    opening_shares,
    survival_shares,
)
from mfa.stocks.checks import Floats
from mfa.stocks.driven import InflowAt
from mfa.system.checks import check_duplicates, check_names, fill_substances
from mfa.system.data import Checker
from mfa.system.findings import Findings
from mfa.system.parsed import ParsedSheet

if TYPE_CHECKING:
    from mfa.system.model import System

_MOMENTS, _PARAMETERS = ("mean", "sd"), ("shape", "scale")
_STEEP = 0.5  # of an inflow, in a year
_BOTH = "write mean and sd, or shape and scale"
_PAIRS = {  # which of the four numbers may give each lifetime
    "fixed": ("mean",),
    "normal": _MOMENTS,
    "folded_normal": (*_MOMENTS, *_PARAMETERS),
    "lognormal": (*_MOMENTS, *_PARAMETERS),
    "weibull": (*_MOMENTS, *_PARAMETERS),
    "gamma": (*_MOMENTS, *_PARAMETERS),
}


@dataclass(frozen=True)
class Lifetimes:
    """How long what enters a stock stays there, by the year in which it enters.

    Parameters
    ----------
    process, substance : str
        Whose stock, and of what.
    from_years : tuple of float
        First cohort year of each lifetime, ascending; −inf where the sheet leaves it blank.
    lives : tuple of Lifetime
        The lifetimes, each with single numbers as parameters.
    growths : tuple of float
        Growth of the inflow of before the first year [1/yr], as each row has it.
    cells : tuple of str
        Where each stands, ``lifetimes!A2``.
    """

    process: str
    substance: str
    from_years: tuple[float, ...]
    lives: tuple[Lifetime, ...]
    growths: tuple[float, ...]
    cells: tuple[str, ...]

    def place_of(self, year: float) -> int:
        """Return which lifetime the cohort of a year has: the last begun, or else the first."""
        return max(int(np.searchsorted(self.from_years, year, side="right")) - 1, 0)

    def life_of(self, year: float) -> Lifetime:
        """Return the lifetime of the cohort of a year."""
        return self.lives[self.place_of(year)]

    def survival_shares(
        self,
        years: Sequence[int] | Floats,
        inflow_at: InflowAt = "spread",
        first_step: float | None = None,
    ) -> Floats:
        """Return φ(t, c), the share of cohort c still in use at the end of year t.

        Parameters
        ----------
        years : array_like
            Years, ascending.
        inflow_at, first_step
            As in `mfa.stocks.survival_shares`.

        Returns
        -------
        array, shape (n_year, n_year)
            0 for cohorts still to come.
        """
        place = np.array([self.place_of(year) for year in years])
        out = np.zeros((len(place), len(place)))
        for k in np.unique(place):
            every = survival_shares(years, self.lives[k], inflow_at, first_step=first_step)
            out[:, place == k] = every[:, place == k]
        return out

    def opening_shares(
        self, years: Sequence[int] | Floats, first_step: float | None = None
    ) -> Floats:
        """Return ρ_t, the share of the opening stock still in use at the end of year t.

        Its ages are those of an inflow that was constant, or grew evenly, for ever. Lifetime and
        growth are those of the cohort of the year before the first.

        Parameters
        ----------
        years : array_like
            Years, ascending.
        first_step
            As in `mfa.stocks.opening_shares`.

        Returns
        -------
        array, shape (n_year,)
        """
        place = self.place_of(years[0] - 1)
        return opening_shares(years, self.lives[place], self.growths[place], first_step=first_step)


def lifetime_of(system: System, process: str, substance: str) -> Lifetimes | None:
    """Return the lifetimes that a system gives for a stock, None if it gives none.

    Examples
    --------
    >>> import pandas as pd
    >>> from mfa.system import System
    >>> system = System.from_tables({
    ...     "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
    ...     "processes": pd.DataFrame({"process": ["Shop", "Use", "Bin"],
    ...                                "stock": ["", "yes", ""], "kind": ["source", "", "sink"]}),
    ...     "flows": pd.DataFrame({"flow": ["new", "old"], "from": ["Shop", "Use"],
    ...                            "to": ["Use", "Bin"], "year": [2018, 2018],
    ...                            "value": [9.0, 8.0], "sd": [0.5, 0.2]}),
    ...     "lifetimes": pd.DataFrame({"process": ["Use", "Use"], "from_year": [None, 2010],
    ...                                "distribution": ["weibull", "weibull"],
    ...                                "mean": [20.0, 15.0], "sd": [8.0, 6.0]}),
    ... })
    >>> use = lifetime_of(system, "Use", "Cu")
    >>> use.life_of(2009), use.life_of(2010)
    (Weibull(shape=2.69562, scale=22.4913), Weibull(shape=2.69562, scale=16.8685))
    >>> use.survival_shares([2009, 2010, 2020])[2].round(3)
    array([0.849, 0.757, 0.938])
    """
    table = system.tables.get("lifetimes")
    return None if table is None else read_lifetimes(table).get((process, substance))


def read_lifetimes(table: pd.DataFrame) -> dict[tuple[str, str], Lifetimes]:
    """Return the lifetimes of every stock, by process and substance.

    Parameters
    ----------
    table : DataFrame
        The sheet ``lifetimes`` as a System holds it in ``tables``.

    Raises
    ------
    StockError
        If the numbers of a row make no lifetime. A System's own rows all do.
    """
    ordered = table.sort_values("from_year", na_position="first", kind="stable")
    out = {}
    for keys, rows in ordered.groupby(["process", "substance"], sort=False):
        process, substance = map(str, keys)
        records = rows.to_dict("records")
        out[process, substance] = Lifetimes(
            process=process,
            substance=substance,
            from_years=tuple(rows["from_year"].fillna(-np.inf).tolist()),
            lives=tuple(
                make_lifetime(row["distribution"], **{n: row[n] for n in _MOMENTS + _PARAMETERS})
                for row in records
            ),
            growths=tuple(rows["growth"].fillna(0.0).tolist()),
            cells=tuple(str(row["cell"]) for row in records),
        )
    return out


def make_lifetime(
    distribution: str,
    mean: float = np.nan,
    sd: float = np.nan,
    shape: float = np.nan,
    scale: float = np.nan,
) -> Lifetime:
    """Return the lifetime that a row describes, nan standing for blank cells.

    Raises
    ------
    StockError
        If its parameters are impossible.

    Examples
    --------
    >>> make_lifetime("lognormal", shape=0.5, scale=20.0)
    LogNormal(mu=2.99573, sigma=0.5)
    """
    moments = bool(np.isfinite(mean))
    if distribution == "fixed":
        return Fixed(mean=mean)
    if distribution == "normal":
        return Normal(mean=mean, sd=sd)
    if distribution == "folded_normal":
        if moments:
            return FoldedNormal.from_moments(mean=mean, sd=sd)
        return FoldedNormal(mu=scale, sigma=shape)
    if distribution == "lognormal":
        if moments:
            return LogNormal(mean=mean, sd=sd)
        if not scale > 0:
            raise StockError(f"LogNormal lifetime: scale has to be above 0; found {scale}")
        return LogNormal(mu=np.log(scale), sigma=shape)
    kind = {"weibull": Weibull, "gamma": Gamma}[distribution]
    return kind(mean=mean, sd=sd) if moments else kind(shape=shape, scale=scale)


def check_lifetimes(
    sheet: ParsedSheet,
    processes: pd.DataFrame,
    layers: tuple[str, ...],
    years: Floats,
    findings: Findings,
) -> None:
    """Fill the defaults of the sheet ``lifetimes`` and note every row that gives no lifetime.

    Parameters
    ----------
    sheet : ParsedSheet
    processes : DataFrame
        The sheet ``processes``.
    layers : tuple of str
        Substances and goods.
    years : array
        Years of the flows, in any order, nan where a cell cannot be used.
    findings : Findings
        Collects the problems.
    """
    frame, check = sheet.frame, Checker(sheet, findings)
    fill_substances(sheet, layers, findings)
    check_names(sheet, "process", processes["process"], "processes", findings)
    named, stores = frame["process"], processes.loc[processes["stock"], "process"]
    check.error(
        (named.isin(processes["process"].dropna()) & ~named.isin(stores)).to_numpy(),
        "process",
        "the process '{process}' has no stock, so that nothing stays in it for any time",
        "write yes in its column stock in the sheet 'processes', or remove this row",
    )
    check_duplicates(
        sheet,
        ["process", "substance", "from_year"],
        "a second lifetime of the same cohorts",
        "remove one, or give it another from_year",
        findings,
    )
    check.error(
        frame["distribution"].isna().to_numpy(),
        "distribution",
        "no distribution",
        "write " + ", ".join(_PAIRS),
    )
    _check_numbers(sheet, check)
    first = np.nanmin(years) if np.isfinite(years).any() else np.nan
    _check_made(sheet, first, findings)
    _check_growth(sheet, first, check)
    sheet.put("cell", pd.Series(sheet.places("process"), copy=False))


def _check_numbers(sheet: ParsedSheet, check: Checker) -> None:
    """Note numbers that are missing, superfluous or out of range."""
    frame = sheet.frame
    kind = frame["distribution"]
    given = {name: frame[name].notna().to_numpy() for name in _MOMENTS + _PARAMETERS}
    for name, there in given.items():
        taken = kind.map(lambda of, name=name: name in _PAIRS.get(of, (name,))).to_numpy(dtype=bool)
        check.error(
            there & ~taken,
            name,
            f"a {{distribution}} lifetime has no {name}",
            "clear the cell, or choose another distribution",
            ["distribution"],
        )
        small = (frame[name] <= 0).to_numpy()
        if name == "scale":  # that of a folded normal is its mean before folding
            small = np.where(kind == "folded_normal", (frame[name] < 0).to_numpy(), small)
        what = f"{name} of a lifetime has to be above 0"
        check.error(small & taken, name, what, f"write {name} in years, above 0", ["distribution"])
    known = kind.notna().to_numpy()
    either = known & ~kind.isin(["fixed", "normal"]).to_numpy()
    moments = given["mean"] | given["sd"]
    parameters = given["shape"] | given["scale"]
    bad = sheet.is_bad(*given)
    what = "a lifetime is given twice: by mean and sd, and by shape and scale"
    check.error(either & moments & parameters & ~bad, "shape", what, "clear one of the two pairs")
    what = "nothing says how long the lifetime is"
    check.error(either & ~moments & ~parameters & ~bad, "mean", what, _BOTH)
    only_mean = (kind == "fixed").to_numpy()
    check.error(only_mean & ~given["mean"], "mean", "a fixed lifetime without mean", "write mean")
    pairs = [("mean", "sd"), ("sd", "mean"), ("shape", "scale"), ("scale", "shape")]
    normal = (kind == "normal").to_numpy()
    for one, other in pairs:
        lacking = either & given[other] & ~(parameters if one in _MOMENTS else moments)
        lacking |= normal & (one in _MOMENTS)
        what = f"a {{distribution}} lifetime without {one}"
        check.error(
            lacking & ~given[one], one, what, f"write {one} beside {other}", ["distribution"]
        )


def _check_made(sheet: ParsedSheet, first: float, findings: Findings) -> None:
    """Note rows whose numbers, each fit by itself, make no lifetime or no past together."""
    frame = sheet.frame
    columns = ["distribution", *_MOMENTS, *_PARAMETERS]
    wrong = {
        problem.cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        for problem in findings.problems
        if problem.sheet == sheet.name and problem.severity == "error"
    }
    for i, row in enumerate(frame[[*columns, "growth"]].to_dict("records")):
        if str(sheet.rows[i]) in wrong:
            continue
        growth, column = row.pop("growth"), "mean" if np.isfinite(row["mean"]) else "shape"
        try:
            life = make_lifetime(**{str(name): cell for name, cell in row.items()})
            if growth < 0 and np.isfinite(first):
                column = "growth"
                opening_shares([first], life, growth)
        except StockError as error:
            what, _, do = str(error).partition("; ")
            findings.error(what, do or "correct the row", None, sheet.place(i, column))


def _check_growth(sheet: ParsedSheet, first: float, check: Checker) -> None:
    """Note growth that looks like a percentage, and growth that no opening stock is made of."""
    frame = sheet.frame
    growth = frame["growth"].to_numpy(dtype=np.float64)
    check.warning(
        np.abs(growth) > _STEEP,
        "growth",
        "an inflow that changed very fast every year before the first: growth {growth}",
        "write 3 % as 0.03 or 3%; if it is meant, nothing",
    )
    begins = frame["from_year"].fillna(-np.inf)
    begun = begins.where(begins < first)  # the lifetime of the year before the first, or else
    keys = [frame["process"], frame["substance"]]
    last = begun.groupby(keys).transform("max").fillna(begins.groupby(keys).transform("min"))
    check.warning(
        (np.isfinite(growth) & (begins != last) & last.notna()).to_numpy(),
        "growth",
        "growth is not used here: the stock of before the first year has another row's lifetime",
        "move it to the row that holds in the year before the first",
    )
