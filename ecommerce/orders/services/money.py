"""What each parcel brings in, and the steps that capture it from what was authorised."""

from decimal import Decimal

from ecommerce.orders.models import Fulfillment, OrderHold
from ecommerce.orders.services.fulfilling import fulfillment_cancel
from ecommerce.orders.services.holding import order_hold
from ecommerce.orders.services.situation import Situation
from ecommerce.payments.models import Kind, Payment, Phase
from ecommerce.payments.services import payment_capture, payment_request, payment_void
from platform_site.common.money import ZERO, spread

FREE_TRIES = 2  # the authorisation, and a new one where its capture failed


def owed(now: Situation) -> Decimal:
    """What has to be captured by now: the shares of the parcels that are labelled or gone."""
    if not any(item.variant_id for item in now.items):
        return now.order.total
    parcels = now.fulfillments
    values = [parcel_value(parcel) for parcel in parcels]
    goods_left = sum(
        (item.unit_price * _unpacked(item.pk, item.quantity - item.cancelled, parcels))
        for item in now.items
        if item.variant_id
    )
    # What is in no parcel yet stands last: it takes its part of the total, but owes nothing so far.
    parts = spread(now.order.total, [*values, Decimal(goods_left)])
    due = [share for parcel, share in zip(parcels, parts, strict=False) if _is_due(now, parcel)]
    return sum(due, ZERO)


def parcel_value(parcel: Fulfillment) -> Decimal:
    """What the goods in it were sold for."""
    return sum((line.item.unit_price * line.quantity for line in parcel.lines.all()), ZERO)


def _unpacked(item_pk: int, wanted: int, parcels: list[Fulfillment]) -> int:
    packed = (line for parcel in parcels for line in parcel.lines.all())
    return wanted - sum(line.quantity for line in packed if line.item_id == item_pk)


def _is_due(now: Situation, parcel: Fulfillment) -> bool:
    shipment = now.shipments.get(parcel.subject)
    return parcel.status in Fulfillment.GONE or (
        shipment is not None and shipment.status not in ("pending", "rated", "voided")
    )


def capture_share(now: Situation, *, actor: str) -> str:
    """Ask for what the labelled parcels owe; a no-op where it was captured already."""
    missing = owed(now) - now.captured - _pending(now)
    if missing <= ZERO or now.hold(OrderHold.Reason.PAYMENT):
        return ""
    payment = next((p for p in now.payments if _may_capture(p)), None)
    if payment is None:
        return _authorize_anew(now, missing, actor)
    amount = min(missing, payment.uncaptured)
    key = f"{now.order.subject}:capture:{now.captured + amount}"
    payment_capture(payment, amount=amount, key=key, actor=actor)
    return f"capture of {amount} requested"


def _pending(now: Situation) -> Decimal:
    return sum((payment.capture_pending for payment in now.payments), ZERO)


def _may_capture(payment: Payment) -> bool:
    return payment.uncaptured > 0 and not _was_refused(payment)


def _was_refused(payment: Payment) -> bool:
    return payment.events.filter(kind=Kind.CAPTURE, phase=Phase.FAILURE).exists()


def _authorize_anew(now: Situation, missing: Decimal, actor: str) -> str:
    """The old authorisation is let go first: an order has one open payment at a time."""
    for payment in now.payments:
        if payment.uncaptured > 0:
            payment_void(payment, reason="It could not be captured.", actor=actor)
            return "void of the refused payment requested"
    if any(payment.status in Payment.OPEN for payment in now.payments):
        return ""
    order = now.order
    released = sum(1 for hold in now.all_holds if hold.reason == OrderHold.Reason.PAYMENT)
    if len(now.payments) >= FREE_TRIES + released or not order.payment_method:
        return _hold_for_money(now, missing, actor)
    payment_request(
        order_number=order.order_number,
        method=order.payment_method,
        amount=missing,
        currency=order.currency,
        capture=False,
        customer_id=order.customer_id,
        card_last4=order.card_last4,
        card_brand=order.card_brand,
        idempotency_key=f"{order.subject}:authorize:{len(now.payments)}",
        actor=actor,
    )
    return "new authorisation requested: the capture failed"


def _hold_for_money(now: Situation, missing: Decimal, actor: str) -> str:
    """The label goes back before its first scan; a new parcel is made after the release."""
    note = f"{missing} {now.order.currency} could not be captured."
    order_hold(now.order, reason=OrderHold.Reason.PAYMENT, note=note, actor=actor)
    for parcel in now.fulfillments:
        if parcel.status == Fulfillment.Status.PACKED and _is_due(now, parcel):
            fulfillment_cancel(parcel, reason=note, actor=actor)
    return "held: the money could not be captured"


def is_paid_for(now: Situation) -> bool:
    """Everything that the labelled parcels owe has been captured."""
    return now.captured >= owed(now)
