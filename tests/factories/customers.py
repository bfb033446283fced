"""Customers for tests."""

from typing import Any

from ecommerce.customers.models import Address, Customer
from ecommerce.customers.services import address_add, customer_create


def make_customer(email: str = "ada@example.org", **more: Any) -> Customer:
    """Ada Lovelace, or whoever the mail address says."""
    fields = {"first_name": "Ada", "last_name": "Lovelace", "phone": "+44 20 7946 0958", **more}
    return customer_create(email=email, **fields, actor="test")


def make_address(customer: Customer | None = None, **more: Any) -> Address:
    """12 St James's Square, London."""
    fields = {
        "kind": "shipping",
        "line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
        **more,
    }
    return address_add(customer or make_customer(), **fields, actor="test")
