"""What an issued paper knows: everything on it, copied on the day of issue. Amounts are text."""

from decimal import Decimal
from typing import Any, NotRequired, TypedDict


class Line(TypedDict):
    """One line of an invoice; `total` is quantity x unit price - discount, before tax."""

    sku: str
    name: str
    quantity: int
    unit_price: str
    discount: NotRequired[str]
    tax_rate: NotRequired[str]  # "0.2000" is 20 %
    total: str


class Snapshot(TypedDict):
    """The whole paper. Addresses have the keys of every address: name, company, line1, ..."""

    seller: dict[str, Any]  # an address, besides `tax_id`
    bill_to: dict[str, Any]
    ship_to: NotRequired[dict[str, Any]]
    order_number: str
    order_date: str  # 2026-01-31
    currency: str
    lines: list[Line]
    subtotal: str
    discount: NotRequired[str]
    shipping_cost: NotRequired[str]
    tax: str
    total: str
    paid: NotRequired[str]
    payment: NotRequired[str]  # "Credit card ending 4242"
    notes: NotRequired[str]


_LINE_AMOUNTS = ("discount", "total")
_AMOUNTS = ("subtotal", "discount", "shipping_cost", "tax", "total", "paid")


def credited(snapshot: dict[str, Any]) -> dict[str, Any]:
    """The snapshot of a credit note over all of an invoice: quantities and sums negative."""
    lines = [
        {**_negated(line, _LINE_AMOUNTS), "quantity": -line["quantity"]}
        for line in snapshot["lines"]
    ]
    return {**_negated(snapshot, _AMOUNTS), "lines": lines}


def _negated(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    changed = {name: str(-Decimal(values[name])) for name in names if values.get(name) is not None}
    return {**values, **changed}
