"""Who supplies how much, and how concentrated that is, by country, group or company."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.network import Floats
from mfa.errors import MFAError, near
from mfa.supply.network import Yearly, yearly
from mfa.supply.origins import OTHER, By, Part, groups_of, parts, party_of

Merge = Mapping[str, str]
_STAGES = ("reserves", "mining", "concentration", "smelting", "refining", "fabrication")
STAGES = (*_STAGES, "manufacturing", "use", "trade")


@dataclass(frozen=True, eq=False)
class Whole:
    """A whole that parties supply: what enters a process, or a stage of the world.

    Attributes
    ----------
    scope : {"import", "world"}
        From ``origins`` and the balance, or from ``producers``.
    item : str
        The process entered, or the stage.
    commodity : str
    substance, year : str, int
    flows : tuple of str
        Flows that are parted; none of a stage.
    parties : tuple of str
    mass : array, shape (parties,)
        What each supplies, nan where a flow is undetermined.
    slopes : array, shape (parties, flows)
        Share of each flow that is a party's.
    covariance : array, shape (flows, flows)
    unit : str
        "1" where only shares are known.
    """

    scope: str
    item: str
    commodity: str
    substance: str
    year: int
    flows: tuple[str, ...]
    parties: tuple[str, ...]
    mass: Floats
    slopes: Floats
    covariance: Floats
    unit: str

    @property
    def keys(self) -> dict[str, object]:
        """Scope, item, commodity, substance and year."""
        names = ("scope", "item", "commodity", "substance", "year")
        return {name: getattr(self, name) for name in names}

    @property
    def share(self) -> Floats:
        """Share of each party."""
        total = self.mass.sum()
        return self.mass / total if total > 0 else np.full(len(self.mass), np.nan)

    @property
    def gradient(self) -> Floats:
        """Change of each share with each flow: (O − s w) / X, w what of a flow is in the whole."""
        inside = self.slopes.sum(axis=0)
        return np.asarray((self.slopes - np.outer(self.share, inside)) / self.mass.sum())

    @property
    def share_sd(self) -> Floats:
        """Standard deviation of each share that stems from the flows."""
        if not self.flows:
            return np.full(len(self.mass), np.nan)
        g = self.gradient
        return np.asarray(np.sqrt(np.maximum(np.einsum("if,fg,ig->i", g, self.covariance, g), 0.0)))

    @property
    def named(self) -> Floats:
        """1 for each party that is named, 0 for Other."""
        return np.array([party != OTHER for party in self.parties], dtype=np.float64)


def wholes(
    balance: Balance,
    by: By = "country",
    *,
    substance: str | None = None,
    merge: Merge | None = None,
) -> list[Whole]:
    """Return every whole that the workbook parts among suppliers."""
    if by not in ("country", "group", "company"):
        raise MFAError(f"no such parties: {by!r}; use country, group or company")
    _check_merge(balance, merge)
    return [*_imports(balance, by, substance, merge), *_world(balance, by, substance, merge)]


def _check_merge(balance: Balance, merge: Merge | None) -> None:
    tables = [balance.system.tables.get(name) for name in ("origins", "producers")]
    known = {*groups_of(balance.system).values()}
    for table in tables:
        if table is not None:
            known |= {*table["country"].dropna(), *table["company"].dropna()}
    for name in merge or {}:
        if name not in known:
            advice = near(name, known, "the sheets 'origins' and 'producers' have the names")
            raise MFAError(f"nobody called {name!r} supplies anything; {advice}")


def _imports(
    balance: Balance, by: By, substance: str | None, merge: Merge | None
) -> Iterator[Whole]:
    """Yield what enters each process from flows with origins, by commodity and year."""
    system = balance.system
    table = balance.flows
    name = system.substances[0] if substance is None else substance
    for year in sorted(table.loc[table["substance"] == name, "year"].unique().tolist()):
        y = yearly(balance, name, int(year))
        place = {flow: i for i, flow in enumerate(y.flow_names)}
        groups: dict[tuple[int, str], list[Part]] = {}
        for part in parts(system, int(year), by, merge):
            if y.there[place[part.flow]]:
                head = int(y.sets.head[place[part.flow]])
                groups.setdefault((head, part.commodity), []).append(part)
        for (head, commodity), some in groups.items():
            yield _import(y, head, commodity, some, place)


def _import(
    y: Yearly, head: int, commodity: str, some: list[Part], place: Mapping[str, int]
) -> Whole:
    flows = tuple(dict.fromkeys(part.flow for part in some))
    names = sorted({part.party for part in some}, key=lambda party: (party == OTHER, party))
    slopes = np.zeros((len(names), len(flows)))
    for part in some:
        slopes[names.index(part.party), flows.index(part.flow)] += part.share
    mass = slopes @ y.value[[place[flow] for flow in flows]]
    items = [(flow, y.substance, y.year) for flow in flows]
    covariance = y.balance.covariance(items).to_numpy()
    keys = ("import", y.names[head], commodity, y.substance, y.year)
    unit = y.balance.system.unit
    return Whole(*keys, flows, tuple(names), mass, slopes, covariance, unit)


def _world(balance: Balance, by: By, substance: str | None, merge: Merge | None) -> Iterator[Whole]:
    """Yield the stages of the sheet ``producers``, from reserves on."""
    system = balance.system
    table = system.tables.get("producers")
    if table is None or table.empty:
        return
    chosen = table[table["value"].notna()]
    if substance is not None:
        chosen = chosen[chosen["substance"] == substance]
    chosen = chosen.assign(
        order=chosen["stage"].map(STAGES.index), when=chosen["year"].fillna(0).astype("int64")
    )
    for (_, name, year), rows in chosen.groupby(["order", "substance", "when"]):
        sums: dict[str, float] = {}
        for row in rows.to_dict("records"):
            party = party_of(system, row, by, merge)
            sums[party] = sums.get(party, 0.0) + float(row["value"])
        names = sorted(sums, key=lambda party: (party == OTHER, party))
        mass = np.array([sums[party] for party in names])
        keys = ("world", str(rows["stage"].iloc[0]), "", str(name), int(str(year)))
        share = rows["unit"].iloc[0] == "1"
        unit = "1" if share else system.settings.unit.mass.name
        if not share and keys[1] != "reserves":
            unit = system.unit
        none = np.zeros((0, 0))
        yield Whole(*keys, (), tuple(names), mass, none, none, unit)


def shares(
    balance: Balance,
    by: By = "country",
    *,
    substance: str | None = None,
    merge: Merge | None = None,
) -> pd.DataFrame:
    """Return who supplies what share of every import and of every stage in the world.

    Parameters
    ----------
    balance : Balance
    by : {"country", "group", "company"}
        Groups of countries are those of the sheet ``countries``.
    substance : str, optional
        By default the first.
    merge : mapping of str to str, optional
        Names that count as one: ``{"A": "A and B", "B": "A and B"}``.

    Returns
    -------
    DataFrame
        scope (import, world), item (process entered, or stage), commodity, substance, year (0: not
        given), party, share, sd [1], value [unit], unit; the largest first. Blank where a flow is
        undetermined.
    """
    out: list[dict[str, object]] = []
    for whole in wholes(balance, by, substance=substance, merge=merge):
        share, sd = whole.share, whole.share_sd
        order = np.lexsort([np.arange(len(share)), -np.nan_to_num(share), 1 - whole.named])
        out += [
            whole.keys
            | {"party": whole.parties[k], "share": share[k], "sd": sd[k]}
            | {"value": whole.mass[k] if whole.unit != "1" else np.nan, "unit": whole.unit}
            for k in order.tolist()
        ]
    names = ["scope", "item", "commodity", "substance", "year", "party"]
    return pd.DataFrame(out, columns=[*names, "share", "sd", "value", "unit"])


def concentration(
    balance: Balance,
    by: By = "country",
    *,
    substance: str | None = None,
    merge: Merge | None = None,
) -> pd.DataFrame:
    """Return the Herfindahl–Hirschman index of every import and of every stage in the world.

    HHI = Σ share², 0 (many small suppliers) to 1 (one). ``value`` counts those who are not named
    ("Other") as many small ones, and is blank where nobody is; ``low`` to ``high`` also allows that
    they are a single one, and ∓ 1.96 sd.

    Parameters
    ----------
    balance : Balance
    by, substance, merge
        As for `shares`.

    Returns
    -------
    DataFrame
        scope, item, commodity, substance, year, by, value, sd, low, high [1], largest,
        largest_share, two_largest, other (share of those not named), weighted (HHI weighted by the
        governance and trade_adjustment of ``countries``, nan where any named country has none),
        missing (countries without them), flows.
    """
    rows = [
        whole.keys | {"by": by} | _index(balance, whole, by)
        for whole in wholes(balance, by, substance=substance, merge=merge)
    ]
    names = ["scope", "item", "commodity", "substance", "year", "by", "value", "sd", "low", "high"]
    more = ["largest", "largest_share", "two_largest", "other", "weighted", "missing", "flows"]
    return pd.DataFrame(rows, columns=[*names, *more])


def hhi(share: Floats, named: Floats) -> tuple[float, float]:
    """Return Σ share² with Other as many small suppliers, and as a single one.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = hhi(np.array([0.6, 0.3, 0.1]), np.array([1.0, 1.0, 0.0]))
    >>> round(low, 4), round(high, 4)
    (0.45, 0.46)
    """
    low = float((named * share**2).sum())
    return low, low + float(((1 - named) * share).sum() ** 2)


def _index(balance: Balance, whole: Whole, by: By) -> dict[str, object]:
    share, named = whole.share, whole.named
    low, high = hhi(share, named)
    sd = float("nan")
    if whole.flows:
        slope = 2 * (named * share) @ whole.gradient
        sd = max(float(slope @ whole.covariance @ slope), 0.0) ** 0.5
    reach = 0.0 if np.isnan(sd) else 1.96 * sd
    own = np.where(named > 0, np.nan_to_num(share), 0.0)
    order = np.argsort(-own, kind="stable")
    known = not np.isnan(low) and own.any()
    weighted, missing = _weighted(balance, whole) if by == "country" else (float("nan"), "")
    there = not np.isnan(low)
    return {
        "value": low if known else np.nan,
        "sd": sd if known else np.nan,
        "low": max(low - reach, 0.0) if there else np.nan,
        "high": min(high + reach, 1.0) if there else np.nan,
        "largest": whole.parties[order[0]] if known else "",
        "largest_share": own[order[0]] if known else np.nan,
        "two_largest": own[order[:2]].sum() if known else np.nan,
        "other": float(((1 - named) * share).sum()),
        "weighted": weighted,
        "missing": missing,
        "flows": ", ".join(whole.flows),
    }


def _weighted(balance: Balance, whole: Whole) -> tuple[float, str]:
    """Return Σ share² governance trade_adjustment, and the countries for which it has no weight."""
    table = balance.system.tables.get("countries")
    weight: dict[str, float] = {}
    if table is not None and table["governance"].notna().any():
        adjusted = table["governance"] * table["trade_adjustment"].fillna(1.0)
        weight = dict(zip(table["country"].tolist(), adjusted.tolist(), strict=True))
    known = [weight.get(party, np.nan) for party in whole.parties]
    lacking = [
        party
        for party, value, named in zip(whole.parties, known, whole.named, strict=True)
        if named and np.isnan(value)
    ]
    if lacking:
        return float("nan"), ", ".join(lacking) if weight else ""
    return float((whole.named * whole.share**2 * np.nan_to_num(known)).sum()), ""


def new_source(
    balance: Balance,
    item: str,
    party: str,
    value: float,
    *,
    by: By = "country",
    commodity: str = "",
    year: int | None = None,
    substance: str | None = None,
    merge: Merge | None = None,
) -> pd.DataFrame:
    """Return shares and HHI before and after a source delivers more, the others less in proportion.

    Parameters
    ----------
    balance : Balance
    item : str
        The process entered or the stage, as in `concentration`.
    party : str
        New or old supplier.
    value : float
        What it delivers more [unit of the system; a share where only shares are known]. The whole
        stays the same: the others deliver that much less, in proportion.
    by, commodity, year, substance, merge
        Which whole: as in `concentration`; by default its last year.

    Returns
    -------
    DataFrame
        party, before, after [1], and a last row "HHI", in which Other counts as many small ones.

    Raises
    ------
    MFAError
        If there is no such whole, or it is smaller than what is added.
    """
    found = [
        whole
        for whole in wholes(balance, by, substance=substance, merge=merge)
        if whole.item == item and whole.commodity == commodity and year in (None, whole.year)
    ]
    if not found:
        known = [w.item for w in wholes(balance, by, substance=substance)]
        advice = near(item, known, "see mfa.concentration")
        raise MFAError(f"nothing is known of who supplies {item!r}; {advice}")
    whole = max(found, key=lambda one: one.year)
    names = list(whole.parties) + ([] if party in whole.parties else [party])
    mass = np.append(whole.mass, [0.0] * (len(names) - len(whole.mass)))
    at, total = names.index(party), float(mass.sum())
    rest = total - mass[at]
    if not 0 <= value <= rest:
        raise MFAError(
            f"{party!r} cannot take over {value:g}; write 0 to {rest:g}, what others deliver"
        )
    after = mass * ((rest - value) / rest if rest else 1.0)
    after[at] = mass[at] + value
    named = np.array([name != OTHER for name in names], dtype=np.float64)
    table = pd.DataFrame({"party": names, "before": mass / total, "after": after / total})
    index = {
        "party": "HHI",
        "before": hhi(mass / total, named)[0],
        "after": hhi(after / total, named)[0],
    }
    return pd.concat([table, pd.DataFrame([index])], ignore_index=True)
