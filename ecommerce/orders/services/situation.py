"""Where an order stands: the rows of all domains that speak about it, read when first asked for."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from ecommerce.carriers.models import Shipment
from ecommerce.documents.models import Document
from ecommerce.fraud.models import FraudCase, RiskAssessment
from ecommerce.orders.models import Fulfillment, Order, OrderHold, OrderItem
from ecommerce.payments.models import Payment
from ecommerce.products.models import Variant
from ecommerce.warehouses.models import PickRequest
from platform_site.common.money import ZERO

DEAD = ("failed", "cancelled", "voided", "expired")


@dataclass
class Situation:
    """The rows around one order at one moment; after a change a new one is read."""

    order: Order

    def reread(self) -> "Situation":
        """The moment after a step. Lines change only when parcels leave, verdicts never."""
        fresh = Situation(self.order)
        kept = ["assessment"] if self.is_assessed else []
        if self.order.fulfillment_status == Order.Fulfilled.UNFULFILLED:
            kept.append("items")
        for name in kept:
            if name in self.__dict__:
                fresh.__dict__[name] = self.__dict__[name]
        return fresh

    @cached_property
    def items(self) -> list[OrderItem]:
        """All lines, goods and services."""
        return list(self.order.items.select_related("variant"))

    @cached_property
    def goods(self) -> dict[Variant, int]:
        """What has to leave the shelves: units by variant, two lines of one variant summed."""
        wanted: dict[Variant, int] = {}
        for item in self.items:
            left = item.quantity - item.cancelled - item.fulfilled
            if item.variant is not None and left:
                wanted[item.variant] = wanted.get(item.variant, 0) + left
        return dict(sorted(wanted.items(), key=lambda pair: pair[0].pk))

    @cached_property
    def all_holds(self) -> list[OrderHold]:
        return list(self.order.holds.all())

    @property
    def holds(self) -> list[OrderHold]:
        """The active ones."""
        return [hold for hold in self.all_holds if hold.is_active]

    def hold(self, reason: str) -> OrderHold | None:
        """The active hold for that reason."""
        return next((hold for hold in self.holds if hold.reason == reason), None)

    @cached_property
    def assessment(self) -> RiskAssessment | None:
        """The latest; its `status` says whether it is decided."""
        return RiskAssessment.objects.filter(subject=self.order.subject).order_by("-pk").first()

    @property
    def is_assessed(self) -> bool:
        return self.assessment is not None and self.assessment.status != "pending"

    @cached_property
    def case(self) -> FraudCase | None:
        """What a reviewer said, if one was asked."""
        return FraudCase.objects.filter(subject=self.order.subject).order_by("-pk").first()

    @cached_property
    def payments(self) -> list[Payment]:
        return list(Payment.objects.filter(order_number=self.order.order_number).order_by("pk"))

    @property
    def live_payments(self) -> list[Payment]:
        """Those that hold or may still bring money."""
        return [payment for payment in self.payments if payment.status not in DEAD]

    @property
    def payment_is_declined(self) -> bool:
        """The last attempt failed and nothing else is under way."""
        return (
            bool(self.payments) and not self.live_payments and self.payments[-1].status == "failed"
        )

    @property
    def authorized(self) -> Decimal:
        """Money that is ours for the asking or ours already, less what went back."""
        live = self.live_payments
        return sum((max(p.authorized, p.captured) - p.refunded for p in live), ZERO)

    @property
    def captured(self) -> Decimal:
        return sum((p.captured for p in self.payments), ZERO)

    @property
    def refunded(self) -> Decimal:
        return sum((p.refunded for p in self.payments), ZERO)

    @property
    def due(self) -> Decimal:
        """What the customer still has to pay or to authorise."""
        return max(self.order.total - self.authorized, ZERO)

    @property
    def is_covered(self) -> bool:
        return self.due == ZERO

    @property
    def is_firm(self) -> bool:
        """The goods are reserved without an end, or there are none."""
        return self.order.stock_firm_at is not None or not self.goods

    @cached_property
    def fulfillments(self) -> list[Fulfillment]:
        """All but the cancelled ones."""
        rows = self.order.fulfillments.exclude(status=Fulfillment.Status.CANCELLED)
        return list(rows.select_related("warehouse").prefetch_related("lines__item__variant"))

    @cached_property
    def _subjects(self) -> list[str]:
        return [fulfillment.subject for fulfillment in self.fulfillments]

    @cached_property
    def picks(self) -> dict[str, PickRequest]:
        """Pick requests by the subject of their parcel."""
        rows = PickRequest.objects.filter(subject__in=self._subjects)
        return {pick.subject: pick for pick in rows}

    @cached_property
    def shipments(self) -> dict[str, Shipment]:
        """Shipments by the subject of their parcel."""
        rows = Shipment.objects.filter(subject__in=self._subjects).order_by("pk")
        return {shipment.subject: shipment for shipment in rows}

    @cached_property
    def invoice(self) -> Document | None:
        rows = Document.objects.filter(subject=self.order.subject, kind="invoice")
        return rows.order_by("-pk").first()
