"""Personal data for those who may not read it: enough to recognise a row, not a person."""

from typing import Any

HIDDEN = "***"
SHOWN_IN_ADDRESSES = ("country", "state")


def masked_mail(mail: str) -> str:
    """`j***@example.org`; empty stays empty."""
    name, at, host = mail.partition("@")
    return f"{name[:1]}{HIDDEN}{at}{host}" if mail else ""


def masked_phone(phone: str) -> str:
    """`***42`; empty stays empty."""
    return f"{HIDDEN}{phone[-2:]}" if phone else ""


def masked_address(address: dict[str, Any]) -> dict[str, Any]:
    """The address with country and state only; what was empty stays empty."""
    return {
        key: HIDDEN if value and isinstance(value, str) and key not in SHOWN_IN_ADDRESSES else value
        for key, value in address.items()
    }
