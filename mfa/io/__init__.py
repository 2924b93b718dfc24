"""Reading and writing systems: workbooks, their CSV twins, and the template."""

from mfa.io.csv_folder import read_tables
from mfa.io.csv_write import write_tables
from mfa.io.shipped import cases
from mfa.io.template import write_template
from mfa.io.twin import convert
from mfa.io.workbook import read_workbook

__all__ = ["cases", "convert", "read_tables", "read_workbook", "write_tables", "write_template"]
