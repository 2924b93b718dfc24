"""Reports: the page, the results workbook, and the folder that holds both."""

from mfa.report.results import write_workbook
from mfa.report.write import write_report

__all__ = ["write_report", "write_workbook"]
