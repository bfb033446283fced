"""Single values of a sales file: dates, numbers, references."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from ecommerce.orders.importer.dialects import Dialect, date_parts
from platform_site.common.money import CENT

CENTURY = 2000
_TIME = re.compile(r"^([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s*([AaPp][Mm])?$")


class BadValue(ValueError):
    """A value that cannot be what its column says; the words are for the report."""


def instant_of(text: str, dialect: Dialect) -> datetime:
    """A date with its time, as UTC. Raises BadValue."""
    parts = date_parts(text)
    if parts is None:
        raise BadValue(f"{text!r} is no date")
    numbers = dict(zip(dialect.date_order, map(int, parts[:3]), strict=True))
    year = numbers["Y"] if numbers["Y"] >= 100 else CENTURY + numbers["Y"]
    hour, minute, second = _clock(parts[3], text)
    try:
        return datetime(year, numbers["M"], numbers["D"], hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise BadValue(f"{text!r} is no date with the order {dialect.date_order}") from error


def _clock(time: str, text: str) -> tuple[int, int, int]:
    if not time:
        return 0, 0, 0
    match = _TIME.match(time.strip())
    if match is None:
        raise BadValue(f"{text!r} has no time such as 8:26")
    hour, half = int(match[1]), (match[4] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour, int(match[2]), int(match[3] or 0)


def amount_of(text: str, dialect: Dialect) -> Decimal:
    """A price, exactly as it stands. Raises BadValue, also for parts of a cent."""
    group = "." if dialect.decimal == "," else ","
    plain = text.replace(group, "").replace("'", "").replace(" ", "").replace(dialect.decimal, ".")
    try:
        amount = Decimal(plain)
    except InvalidOperation as error:
        raise BadValue(f"{text!r} is no price") from error
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 10:
        raise BadValue(f"{text!r} is no price")
    if amount != amount.quantize(CENT):
        raise BadValue(f"the price {text} has parts of a cent")
    return amount.quantize(CENT)


def units_of(text: str) -> int:
    """A whole number of pieces. Raises BadValue."""
    match = re.match(r"^([-+]?[0-9]{1,9})(?:[.,]0+)?$", text)
    if match is None:
        raise BadValue(f"{text!r} is no whole quantity")
    return int(match[1])


def reference_of(text: str) -> str:
    """A customer's number; spreadsheets add `.0`."""
    return re.sub(r"\.0+$", "", text)[:80]
