"""Paying an order: by a client's request, beside what `order_advance` asks for by itself."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from ecommerce.inventory.services import stock_firm
from ecommerce.orders.models import Order
from ecommerce.orders.services.locking import locked, write
from ecommerce.orders.services.situation import Situation
from ecommerce.payments.models import Payment
from ecommerce.payments.services import payment_request
from platform_site.common.access import requires
from platform_site.common.errors import Refusal
from platform_site.common.money import ZERO


class AmountDiffers(Refusal):
    """The amount named is not the amount due."""

    code = "amount_differs"


class NotPayable(Refusal):
    """There is nothing to pay: paid already, or the order has ended."""

    code = "not_payable"


@requires("payments:edit")
@transaction.atomic
def order_pay(
    order: Order,
    *,
    amount: Decimal,
    method: str,
    currency: str = "",
    capture: bool = True,
    card_last4: str = "",
    card_brand: str = "",
    simulate: str = "",
    idempotency_key: str = "",
    actor: str,
) -> Payment:
    """Ask for the amount due by a method; the goods are reserved first, so nobody pays for air.

    Raises NotPayable, AmountDiffers, OutOfStock, Invalid for an unknown method.
    """
    order = locked(order)
    known = _known(order, idempotency_key)
    if known is not None:
        return known
    now = Situation(order)
    _check_payable(now, amount, currency)
    if not now.is_firm:
        stock_firm(subject=order.subject, lines=list(now.goods.items()), actor=actor)
        write(order, stock_firm_at=timezone.now())
    return payment_request(
        order_number=order.order_number,
        method=method,
        amount=now.due,
        currency=order.currency,
        capture=capture,
        customer_id=order.customer_id,
        card_last4=card_last4,
        card_brand=card_brand,
        simulate=simulate,
        idempotency_key=idempotency_key,
        actor=actor,
    )


def _known(order: Order, idempotency_key: str) -> Payment | None:
    if not idempotency_key:
        return None
    same = Payment.objects.filter(idempotency_key=idempotency_key)
    return same.filter(order_number=order.order_number).first()


def _check_payable(now: Situation, amount: Decimal, currency: str) -> None:
    order = now.order
    if order.status not in Order.OPEN:
        raise NotPayable(f"{order} is {order.status}; there is nothing to pay.")
    if now.due == ZERO:
        raise NotPayable(f"{order} is {order.payment_status}; nothing is due.")
    if amount != now.due or currency not in ("", order.currency):
        raise AmountDiffers(
            f"{now.due} {order.currency} is due for {order}, not {amount} {currency}".rstrip()
            + ".",
            due=str(now.due),
            currency=order.currency,
        )
