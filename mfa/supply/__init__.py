"""Supply: who supplies what, what happens when some of it fails, and what is to be supported."""

from mfa.supply.concentration import concentration, new_source, shares
from mfa.supply.coproducts import by_products
from mfa.supply.disrupt import Disruption, disrupt, disruptions
from mfa.supply.exposure import exposure
from mfa.supply.feed import feed_mix
from mfa.supply.stages import stage_balance
from mfa.supply.stockpiles import cover, stockpile
from mfa.supply.support import criteria, support

__all__ = [
    "Disruption",
    "by_products",
    "concentration",
    "cover",
    "criteria",
    "disrupt",
    "disruptions",
    "exposure",
    "feed_mix",
    "new_source",
    "shares",
    "stage_balance",
    "stockpile",
    "support",
]
