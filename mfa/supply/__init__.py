"""Supply."""
from mfa.supply.disrupt import Disruption, disrupt, disruptions
