"""Placing an order: our prices, our tax, our shipping rates, and the goods reserved at once."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from ecommerce.customers.models import Address, Customer
from ecommerce.fraud.services import assessment_request
from ecommerce.inventory.services import stock_reserve
from ecommerce.orders import events
from ecommerce.orders.models import Order, OrderItem
from ecommerce.orders.services.holding import PAYMENT_WINDOW
from ecommerce.orders.services.locking import write
from ecommerce.orders.services.quoting import Wanted, priced, shipping_cost, totalled
from ecommerce.payments.models import Payment, PaymentMethod
from ecommerce.products.models import Merchant, Product, SalesChannel, Variant
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, Refusal

HOUR = timedelta(hours=1)


class PromotionsNotAvailable(Refusal):
    """A coupon came and there are no promotions yet; ignoring it would charge too much."""

    status = 422
    code = "promotions_not_available"


class PriceDiffers(Refusal):
    """The caller insisted on prices, and they are not ours."""

    code = "price_differs"


class CustomerBlocked(Refusal):
    """This customer may not place orders."""

    code = "customer_blocked"


@requires("orders:edit")
@transaction.atomic
def order_place(
    *,
    items: list[Wanted],
    customer: Customer | None = None,
    email: str = "",
    shipping_address: Address | dict[str, Any],
    billing_address: Address | dict[str, Any] | None = None,
    merchant: Merchant | None = None,
    channel: SalesChannel | None = None,
    payment_method: str = "",
    card_last4: str = "",
    card_brand: str = "",
    simulate: str = "",
    notes: str = "",
    customer_notes: str = "",
    coupon_code: str = "",
    strict_prices: bool = False,
    origin: str = Order.Origin.API,
    actor: str,
) -> Order:
    """Place an order of a customer, or of a guest with an email address; its stock is reserved.

    Prices that differ from what the buyer was shown stand in `metadata["warnings"]`, or refuse the
    order with `strict_prices`. Raises Invalid, OutOfStock, PriceDiffers, PromotionsNotAvailable,
    CustomerBlocked, NoService.
    """
    if coupon_code:
        raise PromotionsNotAvailable(
            "There are no promotions yet; place the order without a coupon."
        )
    _check_buyer(customer, email)
    _check_items(items)
    _check_method(payment_method)
    warnings = _compared(items, strict_prices)
    ship_to = _address(customer, shipping_address, "shipping_address_id")
    bill_to = _address(customer, billing_address, "billing_address_id") or ship_to
    now = timezone.now()
    order = Order(
        merchant=merchant or items[0].variant.product.merchant,
        channel=channel or _default_channel(),
        customer=customer,
        email=email or (customer.email if customer else ""),
        currency=items[0].variant.product.currency,
        origin=origin,
        shipping_address=ship_to,
        billing_address=bill_to,
        shipping_address_id=getattr(shipping_address, "pk", None),
        billing_address_id=getattr(billing_address, "pk", None),
        payment_method=payment_method,
        card_last4=card_last4,
        card_brand=card_brand,
        simulate=simulate,
        notes=notes,
        customer_notes=customer_notes,
        metadata={"warnings": warnings} if warnings else {},
        placed_at=now,
        expires_at=now + PAYMENT_WINDOW,
    )
    lines = priced(items, country=ship_to["country"])
    totalled(order, lines, shipping_cost(order, lines))
    return order_create(order, lines=lines, actor=actor)


def order_create(order: Order, *, lines: list[OrderItem], actor: str) -> Order:
    """Write a priced order and its lines, reserve the goods, ask for the assessment.

    Shared by `order_place` and the import, inside their transaction. Raises OutOfStock.
    """
    order.save(force_insert=True)
    write(order, order_number=f"ORD-{order.pk:06d}")
    for line in lines:
        line.order = order
    OrderItem.objects.bulk_create(lines)
    goods: dict[Variant, int] = {}
    for line in lines:
        if line.variant is not None:
            goods[line.variant] = goods.get(line.variant, 0) + line.quantity
    if goods:
        # By id: two orders for the same goods lock them in the same order and cannot deadlock.
        wanted = sorted(goods.items(), key=lambda pair: pair[0].pk)
        stock_reserve(
            subject=order.subject,
            lines=wanted,
            expires_at=timezone.now() + PAYMENT_WINDOW,
            actor=actor,
        )
    facts = fraud_facts(order, lines)
    assessment_request(
        subject=order.subject, order_number=order.order_number, facts=facts, actor=actor
    )
    emit(
        events.ORDER_PLACED,
        order,
        actor=actor,
        order_number=order.order_number,
        customer_id=order.customer_id,
        total=order.total,
        currency=order.currency,
        origin=order.origin,
    )
    return order


def fraud_facts(order: Order, lines: list[OrderItem]) -> dict[str, Any]:
    """What the fraud rules may know; a fact that is unknown is absent and fires no rule."""
    facts: dict[str, Any] = {
        "total": order.total,
        "currency": order.currency,
        "items": len(lines),
    }
    customer = order.customer
    if customer is not None:
        window = (order.placed_at - HOUR, order.placed_at)
        orders = Order.objects.filter(customer=customer, placed_at__range=window)
        facts["orders_last_hour"] = orders.count()  # this one among them
        failed = Payment.objects.filter(customer_id=customer.pk, status=Payment.Status.FAILED)
        facts["failed_payments"] = failed.count()
    if order.origin != Order.Origin.IMPORT:
        facts["billing_differs"] = order.billing_address != order.shipping_address
        if customer is not None:
            age = order.placed_at - customer.created_at
            facts["account_age_hours"] = round(age.total_seconds() / 3600, 2)
    return facts


def _check_buyer(customer: Customer | None, email: str) -> None:
    if customer is None and not email:
        raise Invalid("An order needs a customer, or the email address of a guest.", field="email")
    if customer is not None and customer.status == Customer.Status.BLOCKED:
        raise CustomerBlocked(f"{customer} is blocked and may not place orders.")


def _check_items(items: list[Wanted]) -> None:
    if not items:
        raise Invalid("An order has at least one item.", field="items")
    currencies = {wanted.variant.product.currency for wanted in items}
    if len(currencies) > 1:
        words = ", ".join(sorted(currencies))
        raise Invalid(f"An order has one currency; these items have {words}.", field="items")
    for number, wanted in enumerate(items):
        product = wanted.variant.product
        if wanted.quantity < 1:
            raise Invalid("The quantity is at least 1.", field=f"items[{number}].quantity")
        if product.status != Product.Status.ACTIVE:
            raise Invalid(
                f"{product} is {product.status} and cannot be ordered.",
                field=f"items[{number}].product_id",
            )


def _check_method(code: str) -> None:
    if code and not PaymentMethod.objects.filter(code=code, enabled=True).exists():
        raise Invalid(f"There is no payment method {code}.", field="payment_method")


def _compared(items: list[Wanted], is_strict: bool) -> list[dict[str, str]]:
    """Where the price that the buyer saw is not ours."""
    warnings = [
        {
            "sku": wanted.variant.sku,
            "requested_price": str(wanted.seen_price),
            "price": str(wanted.variant.price),
            "message": f"The price of {wanted.variant.sku} is {wanted.variant.price}, "
            f"not {wanted.seen_price}.",
        }
        for wanted in items
        if wanted.seen_price is not None and wanted.seen_price != wanted.variant.price
    ]
    if warnings and is_strict:
        raise PriceDiffers(warnings[0]["message"], warnings=warnings)
    return warnings


def _address(
    customer: Customer | None, given: Address | dict[str, Any] | None, field: str
) -> dict[str, Any]:
    if isinstance(given, Address):
        if customer is None or given.customer_id != customer.pk:
            raise Invalid(f"Address {given.pk} is not one of this customer's.", field=field)
        return given.snapshot()
    return given or {}


def _default_channel() -> SalesChannel:
    channel = SalesChannel.objects.filter(is_active=True).order_by("pk").first()
    if channel is None:
        raise Refusal("There is no sales channel; run manage.py first_run.")
    return channel
