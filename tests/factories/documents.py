"""Issued documents for tests."""

from typing import Any

from ecommerce.documents import first_run
from ecommerce.documents.models import Document
from ecommerce.documents.services import document_issue


def make_snapshot(*, lines: int = 2, name: str = "Ada Lovelace", **more: Any) -> dict[str, Any]:
    """An invoice of so many lines of 6 x 2.55 GBP, with 20 % tax."""
    address = {"name": name, "line1": "12 St James's Square", "city": "London", "country": "GB"}
    item = {
        "sku": "85123A",
        "name": "WHITE HANGING HEART T-LIGHT HOLDER",
        "quantity": 6,
        "unit_price": "2.55",
        "tax_rate": "0.2000",
        "total": "15.30",
    }
    return {
        "seller": {"company": "Gifts Ltd", "line1": "1 Harbour Street", "country": "GB"},
        "bill_to": address,
        "ship_to": address,
        "order_number": "ORD-000007",
        "order_date": "2026-01-31",
        "currency": "GBP",
        "lines": [item] * lines,
        "subtotal": f"{lines * 1530 / 100:.2f}",
        "tax": f"{lines * 306 / 100:.2f}",
        "total": f"{lines * 1836 / 100:.2f}",
        **more,
    }


def make_invoice(subject: str = "orders.fulfillment:9", **more: Any) -> Document:
    """An issued invoice."""
    first_run.ensure(actor="test")
    fields = {"order_number": "ORD-000007", "snapshot": make_snapshot(), **more}
    return document_issue(kind="invoice", subject=subject, **fields, actor="test")
