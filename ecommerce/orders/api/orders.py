"""The routes of orders: shape in, one service, shape out."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.orders import figures, services
from ecommerce.orders.api import details, export, inputs, rows
from ecommerce.orders.api.placing import placing
from ecommerce.orders.api.serializers import (
    FulfillmentSerializer,
    HoldSerializer,
    NoteSerializer,
    OrderSerializer,
    payment_word,
)
from ecommerce.orders.models import Order, OrderHold
from platform_site.common import json
from platform_site.common.api import ReadViewSet, number_in
from platform_site.common.api.ranges import since
from platform_site.common.errors import Missing, Refusal

SHOWN_IN_RECENT = 50
VIEW = "orders:view"


class DerivedStatus(Refusal):
    """Payment and fulfillment status follow from payments and parcels."""

    code = "derived"


class OrderViewSet(ReadViewSet):
    """`/api/orders`."""

    plural = "orders"
    not_found = "Order not found"
    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    sortable = {"created_at": "created_at", "total": "total", "order_number": "order_number"}
    access = {
        "list": VIEW,
        "create": services.order_place,
        "retrieve": VIEW,
        "update": services.order_change,
        "set_status": services.order_set_status,
        "cancel": services.order_cancel,
        "confirm": services.order_confirm,
        "holds": services.order_hold,
        "release": services.hold_release,
        "fulfillments": VIEW,
        "notes": services.note_add,
        "timeline": VIEW,
        "explain": VIEW,
        "tracking": VIEW,
        "stats": VIEW,
        "recent": VIEW,
        "bulk_update_status": services.order_set_status,
        "export": VIEW,
    }

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "personal": self.may("customer:personal")}

    def find(self, key: str) -> Order | None:
        return rows.find(self.get_queryset(), key)

    def filtered(self, queryset: Any) -> Any:
        return rows.filtered(queryset, self.request)

    def dressed(self, queryset: Any) -> Any:
        return rows.shown(queryset)

    def detail_of(self, order: Order, status: int = 200, **more: Any) -> Response:
        """The whole order, read anew."""
        fresh = rows.shown(self.get_queryset().select_related("customer")).get(pk=order.pk)
        context = self.get_serializer_context()
        return Response(
            {**details.OrderDetailSerializer(fresh, context=context).data, **more}, status
        )

    def retrieve(self, request: Request, pk: str) -> Response:
        order = self.get_object()
        return self.detail_of(order)

    def create(self, request: Request) -> HttpResponseBase:
        return self.once(self._create)

    def _create(self) -> Response:
        fields = self.validated(inputs.OrderCreateInput)
        order = services.order_place(**placing(fields), actor=self.actor)
        return self.detail_of(order, 201)

    def update(self, request: Request, pk: str) -> Response:
        """PUT: remarks are set, a status word goes to the service that leads there."""
        order, fields = self.get_object(), self.validated(inputs.OrderChangeInput)
        _refuse_derived(order, fields)
        seen = fields.get("version") or self._if_match()
        words = {name: fields[name] for name in ("notes", "customer_notes") if name in fields}
        if words or seen:
            order = services.order_change(order, seen_version=seen, actor=self.actor, **words)
        if "status" in fields:
            services.order_set_status(order, status=fields["status"], actor=self.actor)
        return self.detail_of(order)

    def _if_match(self) -> int | None:
        tag = self.request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
        return number_in(tag)

    @action(detail=True, methods=["patch"], url_path="status")
    def set_status(self, request: Request, pk: str) -> Response:
        order = self.get_object()
        given = {**request.query_params.dict(), **self._body()}
        form = inputs.StatusInput(data=given)
        form.is_valid(raise_exception=True)
        order = services.order_set_status(order, **form.validated_data, actor=self.actor)
        return self.detail_of(order)

    def _body(self) -> dict[str, Any]:
        return self.request.data if isinstance(self.request.data, dict) else {}

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> HttpResponseBase:
        return self.once(self._cancel)

    def _cancel(self) -> Response:
        order, fields = self.get_object(), self.validated(inputs.CancelInput)
        return self.detail_of(services.order_cancel(order, **fields, actor=self.actor))

    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        order = services.order_confirm(self.get_object(), actor=self.actor)
        services.order_advance(order, actor=self.actor)
        return self.detail_of(order)

    @action(detail=True, methods=["post"])
    def holds(self, request: Request, pk: str) -> Response:
        order, fields = self.get_object(), self.validated(inputs.HoldInput)
        hold = services.order_hold(order, **fields, actor=self.actor)
        return Response(HoldSerializer(hold).data, 201)

    @action(detail=True, methods=["post"], url_path=r"holds/(?P<hold_pk>[0-9]{1,18})/release")
    def release(self, request: Request, pk: str, hold_pk: str) -> Response:
        fields = self.validated(inputs.ReleaseInput)
        hold = OrderHold.objects.filter(pk=int(hold_pk), order=self.get_object()).first()
        if hold is None:
            raise Missing("The order has no such hold.")
        return Response(
            HoldSerializer(services.hold_release(hold, **fields, actor=self.actor)).data
        )

    @action(detail=True)
    def fulfillments(self, request: Request, pk: str) -> Response:
        parcels = self.get_object().fulfillments.select_related("warehouse")
        parcels = parcels.prefetch_related("lines__item")
        return Response({"fulfillments": FulfillmentSerializer(parcels, many=True).data})

    @action(detail=True, methods=["post"])
    def notes(self, request: Request, pk: str) -> Response:
        order, fields = self.get_object(), self.validated(inputs.NoteInput)
        note = services.note_add(order, **fields, actor=self.actor)
        return Response(NoteSerializer(note).data, 201)

    @action(detail=True)
    def timeline(self, request: Request, pk: str) -> Response:
        return Response({"events": details.timeline(self.get_object())})

    @action(detail=True)
    def explain(self, request: Request, pk: str) -> Response:
        return Response(details.explained(self.get_object()))

    @action(detail=True)
    def tracking(self, request: Request, pk: str) -> Response:
        return Response(details.tracking(self.get_object()))

    @action(detail=False)
    def stats(self, request: Request) -> Response:
        fields = self.query(inputs.RangeInput)
        now = timezone.now()
        placed = figures.placed_between(Order.objects.all(), since=since(fields))
        if "merchant_id" in fields:
            placed = placed.filter(merchant_id=fields["merchant_id"])
        return Response(_stats(placed) | {"as_of": json.instant(now)})

    @action(detail=False)
    def recent(self, request: Request) -> Response:
        fields = self.query(inputs.RecentInput)
        newest = self.get_queryset().order_by("-pk")
        if "merchant_id" in fields:
            newest = newest.filter(merchant_id=fields["merchant_id"])
        newest = rows.shown(newest)[: min(fields["limit"], SHOWN_IN_RECENT)]
        shown = self.get_serializer(newest, many=True).data
        if "/api/" in request.path:
            return Response({"orders": shown})
        return Response([_tile(row) for row in shown])

    @action(detail=False, methods=["post"], url_path="bulk-update-status")
    def bulk_update_status(self, request: Request) -> Response:
        fields = self.validated(inputs.BulkStatusInput) if self._body() else self._bulk_from_list()
        updated, failed = 0, []
        for key in dict.fromkeys(fields["ids"]):
            order = self.find(key)
            try:
                if order is None:
                    raise Missing(self.not_found)
                services.order_set_status(order, status=fields["status"], actor=self.actor)
                updated += 1
            except Refusal as refusal:
                failed.append({"id": number_in(key) or key, "detail": refusal.detail})
        return Response(
            {
                "success": not failed,
                "updated_count": updated,
                "failed": failed,
                "message": f"{updated} of {updated + len(failed)} orders updated.",
            }
        )

    def _bulk_from_list(self) -> dict[str, Any]:
        """A bare list of ids, with the status in the query."""
        form = inputs.BulkStatusInput(
            data={"ids": self.request.data, "status": self.request.query_params.get("status")}
        )
        form.is_valid(raise_exception=True)
        fields: dict[str, Any] = form.validated_data
        return fields

    @action(detail=False, methods=["post"])
    def export(self, request: Request) -> HttpResponseBase:
        given = {"ids": request.data} if isinstance(request.data, list) else self._body()
        form = inputs.ExportInput(data=given)
        form.is_valid(raise_exception=True)
        chosen = rows.filtered(self.get_queryset(), request)
        chosen = chosen.select_related("customer").order_by("pk")
        if "ids" in form.validated_data:
            chosen = chosen.filter(export.named(form.validated_data["ids"]))
        text = export.orders_as_csv(chosen, is_personal=self.may("customer:personal"))
        if "application/json" in request.headers.get("Accept", ""):
            return Response(text)
        return export.download(text)


def _refuse_derived(order: Order, fields: dict[str, Any]) -> None:
    """Sent back unchanged they are accepted; changed they are refused with the route to use."""
    payment = fields.get("payment_status")
    if payment not in (None, payment_word(order), order.payment_status):
        raise DerivedStatus(
            "payment_status follows from payments: POST /api/payments or its refund."
        )
    if fields.get("fulfillment_status") not in (None, order.fulfillment_status):
        raise DerivedStatus(
            "fulfillment_status follows from parcels: PATCH /api/orders/{id}/status."
        )


def _stats(placed: Any) -> dict[str, Any]:
    counts, money = figures.by_status(placed), figures.revenue(placed)
    ended = counts["cancelled"] + counts["expired"]
    return {
        "total_orders": sum(counts.values()),
        "total_revenue": json.Number(money.net),
        "average_order_value": json.Number(money.average),
        **{
            f"{name}_orders": counts[name]
            for name in counts
            if name not in ("cancelled", "expired")
        },
        "cancelled_orders": ended,
        "amounts": {
            "total_revenue": str(money.net),
            "average_order_value": str(money.average),
        },
    }


def _tile(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["order_number"],
        "order_id": row["id"],
        "customer": row["customer"]["name"],
        "total": row["total"],
        "status": row["status"],
        "created_at": row["created_at"],
    }
