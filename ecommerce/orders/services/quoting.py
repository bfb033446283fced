"""What an order costs: our prices, the tax of its country, the carrier's rates."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from ecommerce.carriers.services import shipping_quote
from ecommerce.orders.models import Order, OrderItem
from ecommerce.pricing.services import tax_rate_for
from ecommerce.products.models import Variant
from platform_site.common.money import ZERO, rounded


@dataclass(frozen=True)
class Wanted:
    """So many of a variant; `seen_price` is what the buyer was shown: compared, never trusted."""

    variant: Variant
    quantity: int
    seen_price: Decimal | None = None


def priced(items: list[Wanted], *, country: str) -> list[OrderItem]:
    """The lines at our prices, with the tax of the country they go to; rounded at the line."""
    today = timezone.now().date()
    rates: dict[str, Decimal] = {}
    lines = []
    for wanted in items:
        variant, product = wanted.variant, wanted.variant.product
        if product.tax_class not in rates:
            rates[product.tax_class] = tax_rate_for(
                country=country, tax_class=product.tax_class, on=today
            )
        rate = rates[product.tax_class]
        total = wanted.quantity * variant.price
        lines.append(
            OrderItem(
                variant=variant,
                sku=variant.sku,
                name=variant.title,
                quantity=wanted.quantity,
                unit_price=variant.price,
                unit_cost=variant.cost,
                tax_rate=rate,
                tax=rounded(total * rate),
                total_price=total,
                weight_g=variant.weight_g,
            )
        )
    return lines


def shipping_cost(order: Order, lines: list[OrderItem]) -> Decimal:
    """What the carrier's rates say; 0 where nothing is shipped. Raises NoService."""
    shipped = [line for line in lines if line.variant and line.variant.product.requires_shipping]
    if not shipped:
        return ZERO
    weights = [line.weight_g for line in shipped]
    is_known = all(weight is not None for weight in weights)
    weight_g = sum(line.quantity * (line.weight_g or 0) for line in shipped) if is_known else None
    quote = shipping_quote(
        country=order.shipping_address["country"],
        postal_code=order.shipping_address.get("postal_code", ""),
        weight_g=weight_g,
        value=sum((line.total_price for line in shipped), ZERO),
        currency=order.currency,
    )
    return quote.amount


def totalled(order: Order, lines: list[OrderItem], shipping: Decimal) -> None:
    """Set the order's sums: they are the sums of its lines."""
    order.subtotal = sum((line.total_price for line in lines), ZERO)
    order.discount = sum((line.discount for line in lines), ZERO)
    order.tax = sum((line.tax for line in lines), ZERO)
    order.shipping_cost = shipping
    order.total = order.subtotal - order.discount + order.shipping_cost + order.tax
