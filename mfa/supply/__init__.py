"""Supply: who supplies what, how concentrated it is, and what happens when some of it fails."""

from mfa.supply.concentration import concentration, new_source, shares
from mfa.supply.coproducts import by_products
from mfa.supply.disrupt import Disruption, disrupt, disruptions
from mfa.supply.exposure import exposure
from mfa.supply.feed import feed_mix
from mfa.supply.stages import stage_balance
from mfa.supply.stockpiles import cover, stockpile

__all__ = [
    "Disruption",
    "by_products",
    "concentration",
    "cover",
    "disrupt",
    "disruptions",
    "exposure",
    "feed_mix",
    "new_source",
    "shares",
    "stage_balance",
    "stockpile",
]
