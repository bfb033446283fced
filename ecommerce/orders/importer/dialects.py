"""How a sales file is written: its encoding, separator, decimal sign and order of day and month."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecommerce.orders.importer.refusals import AmbiguousFile, UnreadableFile

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
# Our name of a column -> how files call it, without spaces, signs and case.
COLUMNS = {
    "invoice": ("invoiceno", "invoice", "invoicenumber"),
    "code": ("stockcode", "sku", "code"),
    "description": ("description", "name"),
    "quantity": ("quantity", "qty"),
    "date": ("invoicedate", "date"),
    "price": ("unitprice", "price", "unitpricegbp"),
    "customer": ("customerid", "customer", "customerno"),
    "country": ("country",),
}
OPTIONAL = ("description", "customer", "country")
DATE_ORDERS = ("YMD", "DMY", "MDY")
_DATE = re.compile(r"^\s*([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})(?:[ T]+(.*))?$")
_DECIMAL_SIGN = re.compile(r"^-?[0-9]*([.,])([0-9]+)$")
_GROUPED = re.compile(r"^-?[0-9]{1,3}(?:([.,' ])[0-9]{3})+([.,])[0-9]+$")


@dataclass(frozen=True)
class Dialect:
    """How one file is written."""

    encoding: str
    delimiter: str
    decimal: str
    date_order: str

    def described(self) -> dict[str, str]:
        """For the report."""
        return {
            "encoding": self.encoding,
            "delimiter": DELIMITERS[self.delimiter],
            "decimal": "comma" if self.decimal == "," else "point",
            "dates": self.date_order,
        }


def read_text(path: Path) -> tuple[str, str]:
    """The text and its encoding: UTF-8 with or without byte-order mark, else Latin-1.

    Raises UnreadableFile for what is no text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}.") from error
    if b"\0" in data:
        raise UnreadableFile(f"{path.name} is no text file; export it as CSV in UTF-8 or Latin-1.")
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def delimiter_of(header: str) -> str:
    """The separator with which the first line names all columns. Raises UnreadableFile."""
    fitting = {sign: len(missing_columns(header_of(header, sign))) for sign in DELIMITERS}
    best = min(fitting, key=lambda sign: fitting[sign])
    if fitting[best]:
        missing = ", ".join(missing_columns(header_of(header, best)))
        raise UnreadableFile(
            f"The first line names no column for: {missing}. It needs InvoiceNo, StockCode, "
            "Quantity, InvoiceDate and UnitPrice, separated by comma, semicolon or tab."
        )
    return best


def header_of(line: str, delimiter: str) -> dict[str, int]:
    """Our column names and where they stand."""
    words = next(csv.reader([line], delimiter=delimiter), [])
    plain = [re.sub(r"[^a-z]", "", word.lower()) for word in words]
    found = {}
    for name, spellings in COLUMNS.items():
        places = [plain.index(word) for word in spellings if word in plain]
        if places:
            found[name] = places[0]
    return found


def missing_columns(header: dict[str, int]) -> list[str]:
    """What a file cannot do without and this one has not."""
    return [name for name in COLUMNS if name not in header and name not in OPTIONAL]


def decimal_of(prices: Iterable[str]) -> str:
    """The decimal sign of the prices. Raises AmbiguousFile if the file uses two, or none surely."""
    sure: set[str] = set()
    unsure: set[str] = set()
    for price in prices:
        if match := _GROUPED.match(price):
            sure.add(match[2])
        elif match := _DECIMAL_SIGN.match(price):
            # `1,234` may be a thousand or a bit more than one; two or four places leave no doubt.
            (unsure if len(match[2]) == 3 else sure).add(match[1])
    if len(sure) > 1:
        raise AmbiguousFile("Some prices have a decimal point and some a decimal comma.")
    if sure:
        return sure.pop()
    if unsure == {","}:
        raise AmbiguousFile(
            "Every price with a comma has three places after it, so the comma may be decimal or "
            "group thousands; write the prices with two places."
        )
    return "."


def date_order_of(dates: Sequence[str]) -> str:
    """The order of day and month, from a date that allows only one. Raises AmbiguousFile."""
    firsts, seconds = set(), set()
    for text in dates:
        match = _DATE.match(text)
        if match is None:
            continue  # reported with its line
        if len(match[1]) == 4:
            return "YMD"
        firsts.add(int(match[1]))
        seconds.add(int(match[2]))
    is_day_first, is_month_first = max(firsts, default=0) > 12, max(seconds, default=0) > 12
    if is_day_first and is_month_first:
        raise AmbiguousFile("Some dates have the day first and some the month; split the file.")
    if not is_day_first and not is_month_first and firsts:
        raise AmbiguousFile(
            f"Dates such as {dates[0]} may have the day or the month first, and no date of the "
            "file decides it; say --date-format DMY or --date-format MDY."
        )
    return "DMY" if is_day_first else "MDY" if is_month_first else "YMD"


def date_parts(text: str) -> tuple[str, str, str, str] | None:
    """The three numbers of a date and its time as they stand, or None."""
    match = _DATE.match(text)
    return (match[1], match[2], match[3], match[4] or "") if match else None
