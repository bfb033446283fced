"""What the inventory says no to."""

from typing import Any

from platform_site.common.errors import Refusal


class OutOfStock(Refusal):
    """There are not enough units that nobody else was promised."""

    code = "out_of_stock"

    def __init__(self, *, product: str, sku: str, available: int, requested: int) -> None:
        self.product = product
        self.sku = sku
        self.available = available
        self.requested = requested
        facts: dict[str, Any] = {
            "product": product,
            "sku": sku,
            "available": available,
            "requested": requested,
        }
        super().__init__(
            f"Insufficient inventory for product {product}. "
            f"Available: {available}, Requested: {requested}",
            **facts,
        )


class NotReserved(Refusal):
    """More is to be shipped than was reserved for the subject."""

    code = "not_reserved"


class VariantUnclear(Refusal):
    """The product has several variants and the request names none."""

    status = 422
    code = "variant_unclear"
