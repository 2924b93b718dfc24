"""Every quantity of a balance in one table, so that the page can speak of any of them alike."""

from __future__ import annotations

import pandas as pd

from mfa.balance import Balance

_COLUMNS = ["quantity", "item", "substance", "year", "observed", "observed_sd", "value", "sd"]
_COLUMNS += ["low", "high", "status", "at_bound", "include", "basis", "assumed", "unit"]
_COLUMNS += ["cell", "reference", "note"]


def data_table(balance: Balance) -> pd.DataFrame:
    """Return flows, stocks, equations among the observations, coefficients and compositions.

    Column ``quantity`` (flow, change, level, observation, coefficient, composition) and ``item``
    are those of `Balance.suspects`, as is year 0 for what is common to all years.
    """
    observations = balance.observations[balance.observations["relation"] == "="]
    flows, compositions = balance.flows, balance.compositions
    parts = [
        flows.assign(quantity="flow", item=flows["flow"]),
        balance.stocks.assign(item=balance.stocks["process"]),
        observations.assign(
            quantity="observation",
            item=observations["observation"],
            unit=_observed_units(balance, observations),
        ),
        balance.coefficients.assign(
            quantity="coefficient", item=balance.coefficients["coefficient"]
        ),
        compositions.assign(
            quantity="composition",
            item=compositions["flow"].astype(str) + "/" + compositions["substance"].astype(str),
        ),
    ]
    table = pd.concat([part[_COLUMNS] for part in parts if len(part)], ignore_index=True)
    return table.assign(
        substance=table["substance"].fillna(""), year=table["year"].fillna(0).astype(int)
    )


def _observed_units(balance: Balance, observations: pd.DataFrame) -> list[str]:
    """Return the unit of each observation: a mass if it adds up levels, a rate otherwise."""
    unit = balance.system.settings.unit
    terms = balance.system.observations
    levels = set(terms.loc[terms["quantity"] == "level", "observation"])
    return [unit.mass.name if name in levels else unit.name for name in observations["observation"]]
