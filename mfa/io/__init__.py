"""Reading and writing systems: workbooks, and their CSV twins."""

from mfa.io.csv_folder import read_tables
from mfa.io.workbook import read_workbook

__all__ = ["read_tables", "read_workbook"]
