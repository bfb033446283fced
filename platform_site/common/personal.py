"""Personal data for those who may not read it: enough to recognise a row, not a person."""

from typing import Any

HIDDEN = "***"
SHOWN_IN_ADDRESSES = ("country", "state")


def masked(text: str) -> str:
    """`j***@example.org` for a mail address, `***42` for a number; empty stays empty."""
    name, at, host = text.rpartition("@")
    if at:
        return f"{name[:1]}{HIDDEN}@{host}"
    return f"{HIDDEN}{text[-2:]}" if text else ""


def masked_address(address: dict[str, Any]) -> dict[str, Any]:
    """The address with country and state only; what was empty stays empty."""
    return {
        key: HIDDEN if value and key not in SHOWN_IN_ADDRESSES else value
        for key, value in address.items()
    }
