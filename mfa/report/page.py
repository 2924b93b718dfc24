"""What stands on the report page, section by section, ready for the template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from mfa.balance import Balance
from mfa.recycling import bottlenecks, survey
from mfa.recycling.indicators import whole_indicators
from mfa.report import format as fmt
from mfa.report.data import data_table
from mfa.report.names import Names, names_of, split_ids
from mfa.report.words import Lang, words
from mfa.system.regions import japanese_names

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
    def names(self) -> Names:
        """Names of processes and flows in the page's language."""
        return names_of(self.balance.system, self.lang)

    @cached_property
    def data(self) -> pd.DataFrame:
        """Every quantity in one table."""
        return data_table(self.balance)

    @cached_property
    def labels(self) -> dict[tuple[str, int], str]:
        """A label for every substance and year in which a flow has a row."""
        flows = self.balance.flows
        known = set(zip(flows["substance"], flows["year"], strict=True))
        several = len(self.balance.system.substances) > 1
        return {
            (substance, year): f"{self.substance_name(substance)} {year}" if several else str(year)
            for substance in self.substances
            for year in self.balance.system.years
            if (substance, year) in known
        }

    @cached_property
    def anchors(self) -> dict[str, str]:
        """Where on the page each flow is listed with its source."""
        flows = self.balance.model.system.flows["flow"].tolist()  # also where one region is seen
        return {flow: f"{self.lang}-flow-{number}" for number, flow in enumerate(flows, start=1)}

    @property
    def unit(self) -> str:
        """Unit of every flow as the page writes it."""
        return self.unit_name(self.balance.system.unit)

    @cached_property
    def substances(self) -> list[str]:
        """Substances that any flow has a row for; goods where it is only them."""
        system = self.balance.system
        there = set(self.balance.flows["substance"])
        shown = [name for name in system.substances if name in there]
        return shown or [name for name in system.layers if name in there]

    @property
    def substance(self) -> str:
        """The substance of the headlines."""
        return self.substances[0]

    @cached_property
    def year(self) -> int:
        """The year of the headlines: the last one in which a flow has a row for the substance."""
        flows = self.balance.flows
        years = flows.loc[flows["substance"] == self.substance, "year"]
        return int(years.max())

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """Table of indicators, of regions together."""
        return whole_indicators(self.balance)

    @cached_property
    def bottlenecks(self) -> pd.DataFrame:
        """Table of losses."""
        return bottlenecks(self.balance)

    @cached_property
    def survey(self) -> pd.DataFrame:
        """Table of what to measure next."""
        known = self.substance in self.balance.system.substances  # goods have no recycling rate
        return survey(self.balance, substance=self.substance if known else None, year=self.year)

    @property
    def comma(self) -> str:
        """What stands between the parts of a list."""
        return "、" if self.lang == "ja" else ", "

    def process_name(self, process: object) -> str:
        """Return the name of a process."""
        return self.names.processes.get(str(process), str(process))

    def region_name(self, region: str) -> str:
        """Return the name of a region, or the words for the world outside."""
        local = japanese_names(self.balance.system.processes) if self.lang == "ja" else {}
        return local.get(region, region) or self.words["outside"]

    def flow_name(self, flow: object) -> str:
        """Return the name of a flow."""
        return self.names.flows.get(str(flow), str(flow))

    def unit_name(self, unit: object) -> str:
        """Return a unit as the page writes it."""
        return str(unit).replace("/yr", self.words["per_year"])

    def substance_name(self, substance: object) -> str:
        """Return the name of a substance; the reserved one is spelt out."""
        return self.words["goods"] if substance == "goods" else str(substance)

    def year_name(self, year: int) -> str:
        """Return a year, or the words for what is common to all years."""
        return str(year) if year else self.words["all_years"]

    def item_name(self, item: object, quantity: object, substance: object) -> str:
        """Return the name of any quantity, with its substance where there are several."""
        if quantity == "composition":
            flows, _, part = str(item).rpartition("/")
            names = self.listed(", ".join(name.strip() for name in flows.split(",")))
            return self.words["share_of"].format(name=names, substance=part)
        name = self.flow_name(item) if quantity == "flow" else str(item)
        if quantity in ("level", "change"):
            shown = {"name": self.process_name(item), "quantity": self.words[str(quantity)]}
            name = self.words["stock_of"].format(**shown)
        if quantity == "lifetime":
            name = self.words["lifetime_of"].format(name=self.process_name(item))
        several = len(self.balance.system.layers) > 1 and substance
        return f"{name} ({self.substance_name(substance)})" if several else name

    def amount(self, value: float, sd: float, unit: object) -> str:
        """Return value ± sd with its unit; shares have none."""
        shown = fmt.plus_minus(value, sd)
        return f"{shown} {self.unit_name(unit)}" if shown and unit != "1" else shown

    def listed(self, flows: str) -> str:
        """Return names for flows in a comma list, cut after the first few."""
        parts = split_ids(flows, self.names.flows)
        return self.cut([self.flow_name(part) for part in parts])

    def linked(self, flows: str) -> list[dict[str, str]]:
        """Return name and place on the page for each flow in a comma list."""
        parts = split_ids(flows, self.names.flows)
        return [{"name": self.flow_name(p), "href": f"#{self.anchors[p]}"} for p in parts]

    def cut(self, names: list[str]) -> str:
        """Return a list of names, cut after the first few."""
        if len(names) <= _MOST_NAMES:
            return self.comma.join(names)
        shown = self.comma.join(names[: _MOST_NAMES - 1])
        return self.words["and_more"].format(names=shown, n=len(names) - _MOST_NAMES + 1)

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
        known = fmt.known(row["value"])
        shown = fmt.plus_minus(row["value"], row["sd"])
        ranks = self.words["rank_range"].format(best=row["rank_best"], worst=row["rank_worst"], n=n)
        chance = ""
        if fmt.known(row["probability"]):
            chance = self.words["rank_chance"].format(p=fmt.chance(row["probability"]))
        return {
            "name": self.process_name(row["item"]),
            "rank": row["rank"],
            "ranks": chance or (ranks if row["rank_best"] != row["rank_worst"] else ""),
            "text": shown or fmt.low_high(row["low"], row["high"], self.words),
            "bar": fmt.bar(low, high, largest),
            "point": 100 * row["value"] / largest if known else None,
            "open": not known,
            "bottleneck": row["bottleneck"],
            "flows": self.linked(row["flows"]),
        }

    def survey_rows(self) -> list[dict[str, Any]]:
        """Return what to measure next, the plan first."""
        return [
            {
                "step": "" if pd.isna(row["step"]) else int(row["step"]),
                "name": self.item_name(row["item"], row["kind"], row["substance"]),
                "href": f"#{self.anchors[row['item']]}" if row["kind"] == "flow" else "",
                "range": fmt.plus_minus(row["value"], row["sd"])
                or fmt.low_high(row["low"], row["high"], self.words),
                "width": self._gain(row),
            }
            for row in self.survey.head(6).to_dict("records")
        ]

    def _gain(self, row: dict[Any, Any]) -> str:
        """Write by how much one more number narrows the range, or the sd, of the rate."""
        if row["width_now"] > 0:
            ends = (f"{100 * row[name]:.0f}" for name in ("width_now", "width_then"))
            return self.words["width_words"].format(**dict(zip(("now", "then"), ends, strict=True)))
        ends = (f"{100 * row[name]:.1f}" for name in ("sd_now", "sd_then"))
        return self.words["sd_words"].format(**dict(zip(("now", "then"), ends, strict=True)))
