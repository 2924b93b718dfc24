"""Supply: what is to be supported, and by which criteria."""

from mfa.supply.support import criteria, support

__all__ = ["criteria", "support"]
