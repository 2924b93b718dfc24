"""Material flow analysis: balance contradicting statistics and find where recycling is lost."""

__version__ = "0.1.0"
