"""Spreadsheets: CSV in which no cell can run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A head and a line for each row."""
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(columns)
    sheet.writerows([unarmed(cell) for cell in row] for row in rows)
    return text.getvalue()


def unarmed(cell: Any) -> Any:
    """Text that a spreadsheet would run stands behind an apostrophe (CWE-1236)."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell
