"""Stock in the Commerce API."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.inventory import services
from ecommerce.inventory.export import levels_as_csv
from ecommerce.inventory.figures import IS_LOW, IS_OUT, stock_stats, with_free
from ecommerce.inventory.models import StockLevel, StockMovement
from ecommerce.inventory.refusals import VariantUnclear
from ecommerce.inventory.shapes import (
    AdjustInput,
    CountInput,
    CountsInput,
    ExportInput,
    FilterInput,
    LevelSerializer,
    LowStockInput,
    MovementSerializer,
    TransferInput,
)
from ecommerce.products.models import Product, Variant
from ecommerce.warehouses.models import Warehouse
from platform_site.common.api import ReadViewSet, commerce
from platform_site.common.errors import Invalid, Missing


class InventoryViewSet(ReadViewSet):
    """What lies where, and every way to change it by hand."""

    plural = "inventory"
    queryset = StockLevel.objects.select_related("variant__product", "warehouse")
    serializer_class: Any = LevelSerializer
    access = {
        "list": "inventory:view",
        "retrieve": "inventory:view",
        "of_product": "inventory:view",
        "movements": "inventory:view",
        "level_movements": "inventory:view",
        "low_stock": "inventory:view",
        "stats": "inventory:view",
        "export": "inventory:view",
        "count": services.stock_count,
        "adjust": services.stock_adjust,
        "transfer": services.stock_transfer,
    }

    def filtered(self, rows: QuerySet[StockLevel]) -> QuerySet[StockLevel]:
        asked = self.query(FilterInput)
        if product_id := asked.get("product_id"):
            rows = rows.filter(variant__product=product_id)
        if warehouse_id := asked.get("warehouse_id"):
            rows = rows.filter(warehouse=warehouse_id)
        if asked.get("low_stock"):
            rows = rows.filter(IS_LOW)
        if asked.get("out_of_stock"):
            rows = rows.filter(IS_OUT)
        return rows

    def count(self, request: Request) -> Response:
        """Counts of one shelf or of many; all of them or none."""
        if "updates" in request.data:
            counts = self.validated(CountsInput)["updates"]
        else:
            counts = [self.validated(CountInput)]
        found = [(_variant(row), _warehouse(row["warehouse_id"]), row) for row in counts]
        # In one order for everybody, so that two lists of counts never wait for each other.
        found.sort(key=lambda entry: (entry[0].pk, entry[1].pk))
        with transaction.atomic():
            levels = [
                services.stock_count(
                    variant=variant,
                    warehouse=warehouse,
                    quantity=row["quantity"],
                    actor=self.actor,
                )
                for variant, warehouse, row in found
            ]
        items = self.get_queryset().filter(pk__in=[level.pk for level in levels])
        message = f"{len(levels)} inventory levels were counted."
        return Response({"message": message, "items": self.get_serializer(items, many=True).data})

    @action(detail=False, methods=["get"], url_path=r"product/(?P<product_id>[0-9]{1,18})")
    def of_product(self, request: Request, product_id: str) -> Response:
        product = _product(int(product_id))
        rows = self.get_queryset().filter(variant__product=product).order_by("pk")
        shown = self.get_serializer(rows, many=True).data
        return Response(
            {
                "inventory": shown,
                "total_available": sum(row["available_quantity"] for row in shown),
            }
        )

    @action(detail=False, methods=["get"], url_path=r"movements/(?P<product_id>[0-9]{1,18})")
    def movements(self, request: Request, product_id: str) -> Response:
        """The product's lines in the stock ledger, newest first."""
        return self._moved(level__variant__product=_product(int(product_id)))

    @action(detail=True, methods=["get"], url_path="movements")
    def level_movements(self, request: Request, pk: str) -> Response:
        """The lines of one level."""
        return self._moved(level=self.get_object())

    @action(detail=False, methods=["post"])
    def adjust(self, request: Request) -> HttpResponseBase:
        return self.once(self._adjust)

    @action(detail=False, methods=["post"])
    def transfer(self, request: Request) -> HttpResponseBase:
        return self.once(self._transfer)

    @action(detail=False, methods=["get"], url_path="low-stock")
    def low_stock(self, request: Request) -> Response:
        """Levels at their reorder point, or at the `threshold` that the caller names."""
        asked = self.query(LowStockInput)
        rows = with_free(self.get_queryset())
        if "threshold" in asked:
            rows = rows.filter(free__lte=asked["threshold"])
        else:
            rows = rows.filter(IS_LOW)
        shown = rows.order_by("free", "pk")[: min(asked["limit"], self.max_limit)]
        return Response(
            {
                "low_stock_items": self.get_serializer(shown, many=True).data,
                "count": rows.order_by().count(),
            }
        )

    @action(detail=False, methods=["get"])
    def stats(self, request: Request) -> Response:
        return Response(stock_stats())

    @action(detail=False, methods=["post"])
    def export(self, request: Request) -> HttpResponse:
        """The levels named, or all of them, as a CSV file."""
        ids = self.validated(ExportInput).get("ids")
        rows = self.get_queryset().order_by("pk")
        csv = levels_as_csv(rows if ids is None else rows.filter(pk__in=ids))
        return HttpResponse(
            csv,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="inventory.csv"'},
        )

    def _moved(self, **which: Any) -> Response:
        rows = StockMovement.objects.filter(**which).select_related("level__variant")
        self.serializer_class = MovementSerializer
        return self.page(rows, "movements")

    def _adjust(self) -> Response:
        fields = self.validated(AdjustInput)
        change, reason = fields["quantity_change"], fields["reason"]
        variant, warehouse = self._place(fields)
        movement = services.stock_adjust(
            variant=variant, warehouse=warehouse, change=change, reason=reason, actor=self.actor
        )
        return Response(
            {
                "message": f"{variant} in {warehouse} was adjusted by {change:+d}.",
                "adjustment": {
                    "old_quantity": movement.balance_after - change,
                    "change": change,
                    "new_quantity": movement.balance_after,
                    "reason": reason,
                    "movement_id": movement.pk,
                },
                "inventory": self.respond(movement.level).data,
            }
        )

    def _place(self, fields: dict[str, Any]) -> tuple[Variant, Warehouse]:
        if "inventory_id" in fields:
            level = self.get_queryset().filter(pk=fields["inventory_id"]).first()
            if level is None:
                raise Missing("There is no such inventory level.")
            return level.variant, level.warehouse
        return _variant(fields), _warehouse(fields["warehouse_id"])

    def _transfer(self) -> Response:
        fields = self.validated(TransferInput)
        variant = _variant(fields)
        source, target = (_warehouse(fields[f"{end}_warehouse_id"]) for end in ("from", "to"))
        left, arrived = services.stock_transfer(
            variant=variant,
            source=source,
            target=target,
            quantity=fields["quantity"],
            reason=fields["reason"],
            actor=self.actor,
        )
        return Response(
            {
                "success": True,
                "message": f"{fields['quantity']} of {variant} went to {target}.",
                "transfer": {
                    "id": left.source.removeprefix("transfer:"),
                    "product_id": variant.product_id,
                    "sku": variant.sku,
                    "from_warehouse_id": source.pk,
                    "to_warehouse_id": target.pk,
                    "quantity": fields["quantity"],
                    "from_quantity": left.balance_after,
                    "to_quantity": arrived.balance_after,
                },
            }
        )


class WarehouseInventoryViewSet(InventoryViewSet):
    """The levels of one warehouse; clients ask the warehouse agent for them."""

    served_by = "warehouses"

    def list(self, request: Request, warehouse_id: str = "") -> Response:
        rows = self.get_queryset().filter(warehouse=_warehouse(int(warehouse_id)))
        return self.page(self.filtered(rows))


def _product(product_id: int) -> Product:
    product = Product.objects.filter(pk=product_id).first()
    if product is None:
        raise Missing("There is no such product.")
    return product


def _variant(fields: dict[str, Any]) -> Variant:
    """The variant that the request means: the one named, or the product's only one."""
    variants = list(
        Variant.objects.filter(product=_product(fields["product_id"])).select_related("product")
    )
    if wanted := fields.get("variant_id"):
        variants = [variant for variant in variants if variant.pk == wanted]
        if not variants:
            raise Invalid("The product has no such variant.", field="variant_id")
    if len(variants) != 1:
        raise VariantUnclear(
            f"The product has {len(variants)} variants; name one as variant_id.",
            variants=[{"variant_id": variant.pk, "sku": variant.sku} for variant in variants],
        )
    return variants[0]


def _warehouse(warehouse_id: int) -> Warehouse:
    warehouse = Warehouse.objects.filter(pk=warehouse_id).first()
    if warehouse is None:
        raise Missing("There is no such warehouse.")
    return warehouse


commerce.view(
    "inventory",
    InventoryViewSet.as_view({"get": "list", "put": "count", "patch": "count"}),
)
commerce.register("inventory", InventoryViewSet)
commerce.view(
    r"warehouses/(?P<warehouse_id>[0-9]{1,18})/inventory",
    WarehouseInventoryViewSet.as_view({"get": "list"}),
)
