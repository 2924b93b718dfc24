"""What stands on the report page, section by section, ready for the template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from mfa.balance import Balance
from mfa.recycling import bottlenecks, indicators, survey
from mfa.report import format as fmt
from mfa.report.words import Lang, words
from mfa.sankey.figures import format_number

_STRIKING = 1.96
_HEADLINES = ("recycling_input_rate_total", "eol_recycling_rate")
_LEVEL = 0.05
_MOST_NAMES = 4


@dataclass(frozen=True, eq=False)
class Page:
    """The sections of the page for one balance and language."""

    balance: Balance
    lang: Lang

    @cached_property
    def words(self) -> dict[str, str]:
        """Every phrase in the page's language."""
        return words(self.lang)

    @cached_property
    def names(self) -> dict[str, str]:
        """Name of every flow, process and observation in the page's language."""
        system = self.balance.system
        out = {str(name): str(name) for name in system.observations["observation"].unique()}
        for table, key in ((system.processes, "process"), (system.flows, "flow")):
            for _, row in table.iterrows():
                local = str(row["name_ja"]) if self.lang == "ja" else ""
                out[str(row[key])] = local or str(row["name"] or row[key])
        return out

    @property
    def unit(self) -> str:
        """Unit of every flow as the page writes it."""
        return self.balance.system.unit.replace("/yr", self.words["per_year"])

    @property
    def substance(self) -> str:
        """The substance of the headlines."""
        return self.balance.system.substances[0]

    @property
    def year(self) -> int:
        """The year of the headlines."""
        return self.balance.system.years[-1]

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """Table of indicators."""
        return indicators(self.balance)

    @cached_property
    def bottlenecks(self) -> pd.DataFrame:
        """Table of losses."""
        return bottlenecks(self.balance)

    @cached_property
    def survey(self) -> pd.DataFrame:
        """Table of what to measure next."""
        return survey(self.balance)

    def name_of(self, item: object) -> str:
        """Return the name of an id."""
        return self.names.get(str(item), str(item))

    def listed(self, names: str) -> str:
        """Return names for ids in a comma list, cut after the first few."""
        parts = [self.name_of(part) for part in names.split(", ") if part]
        if len(parts) <= _MOST_NAMES:
            return ", ".join(parts)
        shown = ", ".join(parts[: _MOST_NAMES - 1])
        return self.words["and_more"].format(names=shown, n=len(parts) - _MOST_NAMES + 1)

    # -- in short ------------------------------------------------------------------------------

    def verdict(self) -> list[str]:
        """Return the sentences on top: agreement, what comes back, the worst loss, what next."""
        out = [self._agreement()]
        if self.balance.is_approximate:
            out.append(self.words["approximate"])
        out += [self._comes_back(name) for name in _HEADLINES]
        out += [sentence for sentence in (self._worst_loss(), self._next()) if sentence]
        return out

    def _agreement(self) -> str:
        balance = self.balance
        if not balance.dof:
            return self.words["verdict_none"]
        chi2 = format_number(balance.chi2)
        if balance.p_value >= _LEVEL:
            p = f"{balance.p_value:.2g}"
            return self.words["verdict_agree"].format(chi2=chi2, dof=balance.dof, p=p)
        first = balance.suspects.iloc[0]
        others = len([part for part in str(first["same_as"]).split(", ") if part])
        phrase = self.words["first_look_many" if others else "first_look"]
        where = phrase.format(
            name=self.name_of(first["item"]), year=first["year"], cell=first["cell"], n=others
        )
        return self.words["verdict_clash"].format(
            chi2=chi2, dof=balance.dof, p_words=fmt.p_words(balance.p_value), where=where
        )

    def _comes_back(self, indicator: str) -> str:
        table = self.indicators
        row = table[
            (table["indicator"] == indicator)
            & (table["year"] == self.year)
            & (table["substance"] == self.substance)
        ].iloc[0]
        name = self.words[f"indicator:{indicator}"]
        name = name[0].lower() + name[1:] if self.lang == "en" else name
        name = f"the {name}" if self.lang == "en" else name
        if fmt.known(row["value"]):
            value = fmt.percent_sd(row["value"], row["sd"])
            return self.words["back_known"].format(year=self.year, name=name, value=value)
        if row["missing"] or not fmt.known(row["high"]):
            return self.words["back_missing"].format(year=self.year, name=name)
        low, high = fmt.percent(row["low"]), fmt.percent(row["high"])
        return self.words["back_open"].format(year=self.year, name=name, low=low, high=high)

    def _worst_loss(self) -> str:
        table = self.bottlenecks
        here = table[(table["year"] == self.year) & (table["substance"] == self.substance)]
        if here.empty:
            return ""
        worst = here.iloc[0]
        value = fmt.plus_minus(worst["value"], worst["sd"])
        phrase = "worst_known" if value else "worst_open"
        shown = value or fmt.low_high(worst["low"], worst["high"], self.words["unlimited"])
        return self.words[phrase].format(
            name=self.name_of(worst["item"]), value=f"{shown} {self.unit}"
        )

    def _next(self) -> str:
        if self.survey.empty:
            return ""
        best = self.survey.iloc[0]
        return self.words["next_number"].format(
            name=self.name_of(best["item"]),
            now=f"{100 * best['width_now']:.0f}",
            then=f"{100 * best['width_then']:.0f}",
        )

    # -- contradictions ------------------------------------------------------------------------

    def suspect_groups(self) -> list[dict[str, Any]]:
        """Return the striking data, those that cannot be told apart together, worst first."""
        table = self.balance.suspects
        table = table[(table["kind"] == "datum") & (table["z"].abs() > _STRIKING)]
        groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in table.to_dict("records"):
            size = f"{abs(row['z']):.2f}"
            members = frozenset(
                [*str(row["same_as"]).split(", "), f"{row['item']} {row['year']}"]
            ) - {""}
            groups.setdefault((size, ",".join(sorted(members))), []).append(self._suspect(row))
        out = []
        for (z, _), rows in groups.items():
            phrase = self.words["group_many" if len(rows) > 1 else "group_one"]
            out.append({"words": phrase.format(n=len(rows), z=z), "rows": rows})
        return out

    def _suspect(self, row: dict[Any, Any]) -> dict[str, Any]:
        observed = self._observed.get(str(row["cell"]), (float("nan"), float("nan")))
        name = self.name_of(row["item"])
        if row["quantity"] in ("level", "change"):
            name = self.words["stock_of"].format(name=name, quantity=self.words[row["quantity"]])
        return {
            "name": name,
            "item": row["item"],
            "year": row["year"],
            "cell": row["cell"],
            "observed": fmt.plus_minus(*observed),
            "should_be": format_number(row["should_be"]),
            "impossible": not row["possible"],
            "reference": row["reference"],
        }

    @cached_property
    def _observed(self) -> dict[str, tuple[float, float]]:
        """Observed value and sd by cell."""
        system = self.balance.system
        out: dict[str, tuple[float, float]] = {}
        for table in (system.data, system.stocks, system.observations):
            numbers = zip(table["value"].tolist(), table["sd"].tolist(), strict=True)
            out |= dict(zip(table["cell"].tolist(), numbers, strict=True))
        return out

    def checked(self) -> str:
        """Return how many of the given numbers any balance checks."""
        statuses = pd.concat([t["status"] for t in self._all() if len(t)])
        observed = pd.concat([t["observed"].notna() & t["include"] for t in self._all() if len(t)])
        reconciled = int(((statuses == "reconciled") & observed).sum())
        return self.words["unchecked"].format(checked=reconciled, all=int(observed.sum()))

    def _all(self) -> list[pd.DataFrame]:
        balance = self.balance
        equal = balance.observations["relation"] == "="
        return [balance.flows, balance.stocks, balance.observations[equal]]

    def excluded(self) -> list[dict[str, Any]]:
        """Return data that were left out, beside the result."""
        out = []
        for row in self.balance.excluded.to_dict("records"):
            z = float(row["z"])
            verdict = "fails" if abs(z) > _STRIKING else "agrees"
            out.append(
                {
                    "name": self.name_of(row["item"]),
                    "year": row["year"],
                    "cell": row["cell"],
                    "observed": fmt.plus_minus(row["observed"], row["observed_sd"]),
                    "result": fmt.plus_minus(row["value"], row["sd"]),
                    "z": f"{z:.1f}".replace("-0.0", "0.0") if z == z else "",
                    "verdict": self.words[verdict if z == z else "untestable"],
                    "fails": z == z and verdict == "fails",
                    "note": row["note"],
                }
            )
        return sorted(out, key=lambda row: not row["fails"])

    # -- how much comes back, where it is lost, what to survey ---------------------------------

    def indicator_rows(self) -> list[dict[str, Any]]:
        """Return one row per indicator and substance with a cell per year."""
        out = []
        for (indicator, substance), rows in self.indicators.groupby(
            ["indicator", "substance"], sort=False
        ):
            cells = {int(row["year"]): self._cell(row) for _, row in rows.iterrows()}
            last = rows.iloc[-1]
            out.append(
                {
                    "name": self.words[f"indicator:{indicator}"],
                    "substance": substance,
                    "scope": self.words[f"scope:{indicator}"],
                    "source": last["source"],
                    "cells": cells,
                    "rests_on": self._rests_on(str(last["assumptions"])),
                }
            )
        return out

    def _rests_on(self, names: str) -> str:
        return self.words["rests_on"].format(names=self.listed(names)) if names else ""

    def _cell(self, row: pd.Series) -> dict[str, Any]:
        """Return what one indicator in one year shows: words, and a bar in percent."""
        if row["missing"]:
            parts = [self.words.get(f"missing:{what}", what) for what in row["missing"].split("; ")]
            text = self.words["missing"].format(what="; ".join(parts))
            return {"text": text, "bar": None, "missing": True}
        known = fmt.known(row["value"])
        text = fmt.percent_sd(row["value"], row["sd"]) if known else ""
        if not known:
            low, high = row["low"], row["high"]
            right = fmt.percent(high) if fmt.known(high) else self.words["unlimited"]
            text = f"{fmt.percent(low)} – {right}" if fmt.known(low) else "?"
        low = 100 * row["low"] if fmt.known(row["low"]) else 0.0
        high = 100 * row["high"] if fmt.known(row["high"]) else 100.0
        bar = {"left": max(low, 0.0), "width": max(min(high, 100.0) - max(low, 0.0), 0.4)}
        point = 100 * row["value"] if known else None
        assumed = row["assumed"]
        note = self.words["by_construction"] if row["by_construction"] else ""
        if known and assumed > 0.005:
            note = self.words["assumed_share"].format(share=fmt.percent(round(assumed, 2)))
        return {"text": text, "bar": bar, "point": point, "open": not known, "note": note}

    def loss_rows(self, year: int, substance: str) -> list[dict[str, Any]]:
        """Return the losses of one year, worst first, with bars relative to the largest."""
        table = self.bottlenecks
        here = table[(table["year"] == year) & (table["substance"] == substance)]
        ends = here[["value", "high", "low"]].max().max()
        largest = float(ends) if fmt.known(ends) and ends > 0 else 1.0
        return [self._loss(row, largest, len(here)) for row in here.to_dict("records")]

    def _loss(self, row: dict[Any, Any], largest: float, n: int) -> dict[str, Any]:
        low = row["low"] if fmt.known(row["low"]) else 0.0
        high = row["high"] if fmt.known(row["high"]) else largest
        left, right = (100 * min(max(v, 0.0) / largest, 1.0) for v in (low, high))
        known = fmt.known(row["value"])
        shown = fmt.plus_minus(row["value"], row["sd"])
        ranks = self.words["rank_range"].format(best=row["rank_best"], worst=row["rank_worst"], n=n)
        return {
            "name": self.name_of(row["item"]),
            "rank": row["rank"],
            "ranks": ranks if row["rank_best"] != row["rank_worst"] else "",
            "text": shown or fmt.low_high(row["low"], row["high"], self.words["unlimited"]),
            "bar": {"left": left, "width": max(right - left, 0.4)},
            "point": 100 * row["value"] / largest if known else None,
            "open": not known,
            "bottleneck": row["bottleneck"],
            "flows": self.listed(row["flows"]),
        }

    def survey_rows(self) -> list[dict[str, Any]]:
        """Return what to measure next, best first."""
        return [
            {
                "name": self.name_of(row["item"]),
                "range": fmt.low_high(row["low"], row["high"], self.words["unlimited"]),
                "width": self.words["width_words"].format(
                    now=f"{100 * row['width_now']:.0f}", then=f"{100 * row['width_then']:.0f}"
                ),
            }
            for row in self.survey.head(6).to_dict("records")
        ]
