"""From the fields of `POST /api/orders` to what the service takes."""

from typing import Any

from ecommerce.customers.models import Address, Customer
from ecommerce.orders.api.catalogue import wanted_items
from ecommerce.products.models import Merchant, SalesChannel
from platform_site.common.errors import Invalid


def placing(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of POST as the service takes them. Raises Invalid for what does not exist."""
    customer = _row(Customer.objects.all(), fields.pop("customer_id"), "customer_id")
    for kind in ("shipping_address", "billing_address"):
        pk, written = fields.pop(f"{kind}_id"), fields[kind]
        fields[kind] = _row(Address.objects.select_related("customer"), pk, f"{kind}_id") or written
    merchant = _row(Merchant.objects.all(), fields.pop("merchant_id"), "merchant_id")
    if code := fields.pop("channel"):
        fields["channel"] = SalesChannel.objects.filter(code=code).first()
        if fields["channel"] is None:
            raise Invalid(f"There is no sales channel {code}.", field="channel")
    fields["items"] = wanted_items(fields["items"])
    for name in ("coupon_code", "payment_method"):
        fields[name] = fields[name] or ""
    return {**fields, "customer": customer, "merchant": merchant}


def _row(queryset: Any, pk: int | None, field: str) -> Any:
    if pk is None:
        return None
    row = queryset.filter(pk=pk).first()
    if row is None:
        raise Invalid(
            f"There is no {field.removesuffix('_id').replace('_', ' ')} {pk}.", field=field
        )
    return row
