"""How a paper writes addresses, amounts, rates and days, whatever the machine's language is."""

from calendar import month_name
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from platform_site.common.countries import country_name


def address_lines(address: dict[str, Any], *, without_name: bool = False) -> list[str]:
    """The lines of an address, ready for a paragraph."""
    place = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    names = [] if without_name else [address.get("name"), address.get("company")]
    lines = [*names, address.get("line1"), address.get("line2"), place, address.get("state")]
    country = country_name(address.get("country") or "")
    return [escape(str(line)) for line in (*lines, country) if line]


def described(line: dict[str, Any], currency: str) -> str:
    """A line's name and, where there is one, its discount."""
    discount = Decimal(line.get("discount") or 0)
    less = f" (less {amount(discount)} {currency})" if discount else ""
    return f"{line['name']}{less}"


def amount(value: Any) -> str:
    """`1,234.50`."""
    return f"{Decimal(str(value)):,.2f}"


def percent(rate: Any) -> str:
    """`20 %` for 0.2000; empty where no rate was noted."""
    if rate is None:
        return ""
    share = (Decimal(str(rate)) * 100).normalize()
    return f"{share:f} %"


def day(value: Any) -> str:
    """`1 December 2010`, from a date or its ISO text."""
    if not value:
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    moment: date = value
    return f"{moment.day} {month_name[moment.month]} {moment.year}"
