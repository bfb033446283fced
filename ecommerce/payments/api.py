"""Payments in the Commerce API."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.payments import ports, services
from ecommerce.payments.figures import payment_stats
from ecommerce.payments.models import Payment, PaymentEvent, PaymentMethod, Refund
from ecommerce.payments.shapes import (
    CancelInput,
    CaptureInput,
    DecisionInput,
    FilterInput,
    PaymentCreateInput,
    PaymentEventSerializer,
    PaymentSerializer,
    RefundInput,
    RefundSerializer,
)
from ecommerce.payments.words import UNKNOWN, statuses_of
from messaging.waiting import wait_until
from platform_site.common.api import ApiViewSet, ReadViewSet, commerce
from platform_site.common.api.ranges import TimeRangeInput, since


class PaymentViewSet(ReadViewSet):
    """The money of orders. Paying an order goes through the order's own rules."""

    plural = "payments"
    queryset = Payment.objects.select_related("method")
    serializer_class = PaymentSerializer
    sortable = {"created_at": "created_at", "amount": "amount"}
    access = {
        "list": "payments:view",
        "retrieve": "payments:view",
        "methods": "payments:view",
        "stats": "payments:view",
        "events": "payments:view",
        "create": services.payment_request,
        "capture": services.payment_capture,
        "cancel": services.payment_void,
        "refund": services.payment_refund,
    }

    def filtered(self, rows: QuerySet[Payment]) -> QuerySet[Payment]:
        asked = self.query(FilterInput)
        if word := asked.get("status"):
            is_lost = Q(unknown_since__isnull=False)
            chosen = Q(status__in=statuses_of(word)) & ~is_lost
            rows = rows.filter(chosen | is_lost if word in ("processing", UNKNOWN) else chosen)
        if method := asked.get("payment_method"):
            rows = rows.filter(method__code=method)
        if order := asked.get("order_id"):
            rows = rows.filter(order_number=ports.order_number_of(order) or None)
        return rows

    def page(self, rows: QuerySet[Any], plural: str | None = None) -> Response:
        response = super().page(rows, plural)
        _add_orders(response.data[plural or self.plural])
        return response

    def retrieve(self, request: Request, pk: str) -> Response:
        payment = self.get_object()
        events = PaymentEventSerializer(payment.events.all(), many=True).data
        refunds = RefundSerializer(payment.refunds.all(), many=True).data
        return Response({**self._shown(payment), "events": events, "refunds": refunds})

    def create(self, request: Request) -> HttpResponseBase:
        """Pay an order: asked once for each key, answered when the provider has answered."""
        fields = self.validated(PaymentCreateInput)

        def change() -> Payment:
            order, method = fields.pop("order_id"), fields.pop("payment_method")
            key = self.lasting_key()
            payment: Payment = ports.order_pay(
                order, method=method, **fields, idempotency_key=key, actor=self.actor
            )
            return payment

        return self._when_answered(change, status.HTTP_201_CREATED)

    @action(detail=True, methods=["post"])
    def capture(self, request: Request, pk: str) -> HttpResponseBase:
        payment, fields = self.get_object(), self.validated(CaptureInput)
        return self._when_answered(
            lambda: services.payment_capture(
                payment, **fields, key=self.lasting_key(), actor=self.actor
            )
        )

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> HttpResponseBase:
        payment, fields = self.get_object(), self.validated(CancelInput)
        return self._when_answered(
            lambda: services.payment_void(payment, **fields, actor=self.actor)
        )

    @action(detail=True, methods=["post"])
    def refund(self, request: Request, pk: str) -> HttpResponseBase:
        """202 while a second person has to decide."""
        payment, fields = self.get_object(), self.validated(RefundInput)

        def answer(refund: Refund) -> Response:
            _await_provider(payment.pk)
            refund.refresh_from_db()
            waits = refund.status == Refund.Status.REQUESTED
            body = {**self._shown(payment), "refund": RefundSerializer(refund).data}
            return Response(body, status.HTTP_202_ACCEPTED if waits else status.HTTP_200_OK)

        return self.once_then(
            lambda: services.payment_refund(
                payment, **fields, key=self.lasting_key(), actor=self.actor
            ),
            answer,
        )

    @action(detail=True, methods=["get"])
    def events(self, request: Request, pk: str) -> Response:
        """The payment's lines in the money ledger, oldest first."""
        rows = self.get_object().events.all()
        return Response({"events": PaymentEventSerializer(rows, many=True).data})

    @action(detail=False, methods=["get"])
    def methods(self, request: Request) -> Response:
        rows = PaymentMethod.objects.all()
        return Response(
            {
                "payment_methods": [
                    {"id": row.code, "name": row.name, "enabled": row.enabled} for row in rows
                ]
            }
        )

    @action(detail=False, methods=["get"])
    def stats(self, request: Request) -> Response:
        return Response(payment_stats(since=since(self.query(TimeRangeInput))))

    def _when_answered(
        self, change: Callable[[], Payment], code: int = status.HTTP_200_OK
    ) -> HttpResponseBase:
        def answer(payment: Payment) -> Response:
            _await_provider(payment.pk)
            return Response(self._shown(payment), code)

        return self.once_then(change, answer)

    def _shown(self, payment: Payment) -> dict[str, Any]:
        """The payment as it is now, with its order."""
        row: dict[str, Any] = self.get_serializer(self.get_queryset().get(pk=payment.pk)).data
        _add_orders([row])
        return row


class RefundViewSet(ApiViewSet):
    """Refunds above the limit, which a second person approves or declines."""

    queryset = Refund.objects.select_related("payment")
    serializer_class = RefundSerializer
    access = {"approve": services.refund_decide, "decline": services.refund_decide}

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> HttpResponseBase:
        return self._decide(approve=True)

    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> HttpResponseBase:
        return self._decide(approve=False)

    def _decide(self, *, approve: bool) -> HttpResponseBase:
        refund, fields = self.get_object(), self.validated(DecisionInput)

        def answer(decided: Refund) -> Response:
            _await_provider(decided.payment_id)
            return self.respond(decided)

        return self.once_then(
            lambda: services.refund_decide(refund, approve=approve, **fields, actor=self.actor),
            answer,
        )


def _await_provider(payment_id: int) -> None:
    """Give the agent a moment: the answer shows the payment as it is afterwards."""
    requests = PaymentEvent.objects.expected().filter(payment=payment_id)
    wait_until(lambda: not requests.exists(), timeout_s=settings.ANSWER_WAIT_S)


def _add_orders(rows: list[dict[str, Any]]) -> None:
    """Put each payment's order beside it, all in one question."""
    orders = ports.order_rows([row["order_number"] for row in rows])
    for row in rows:
        row["order"] = orders.get(row["order_number"])
        row["order_id"] = row["order"]["id"] if row["order"] else None


commerce.register("payments", PaymentViewSet)
commerce.register("refunds", RefundViewSet)
