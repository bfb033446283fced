"""Products in the Commerce API."""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.products import ports, services
from ecommerce.products.api import inputs
from ecommerce.products.api.figures import product_figures
from ecommerce.products.api.shapes import ProductDetailSerializer, ProductSerializer
from ecommerce.products.models import Product, Variant
from platform_site.common.api import ReadViewSet, commerce, number_in
from platform_site.common.api.errors import invalid
from platform_site.common.errors import Refusal

FILTERS = {"category_id": "category_id", "merchant_id": "merchant_id"}
OUT_OF_STOCK = "out_of_stock"


class ProductViewSet(ReadViewSet):
    """`/api/products`"""

    plural = "products"
    queryset = Product.objects.select_related("category", "merchant").prefetch_related(
        "variants__product", "bundle_lines"
    )
    not_found = "Product not found"
    sortable = {
        "name": "name",
        "price": "first_price",
        "created_at": "created_at",
        "sales_count": "sales_count",
    }
    access = {
        **dict.fromkeys(("list", "retrieve", "stats", "search", "completeness"), "products:view"),
        "create": services.product_create,
        "update": services.product_change,
        "partial_update": services.product_change,
        "destroy": services.product_remove,
        "publish": services.product_publish,
        "archive": services.product_archive,
        "bulk_delete": services.product_remove,
        "bulk_update_status": services.product_status_set,
        "bulk_import": services.products_import,
    }

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        rows = args[0] if kwargs.get("many") else args[:1]
        context = {
            **self.get_serializer_context(),
            "stock": ports.stock_of([row.pk for row in rows]),
            "sees_cost": self.may(services.product_change),
        }
        shape = ProductSerializer if kwargs.get("many") else ProductDetailSerializer
        return shape(*args, **kwargs, context=context)

    def find(self, key: str) -> Any:
        by_id = super().find(key)
        return by_id or self.get_queryset().filter(variants__sku=key).first()

    def filtered(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        query = self.request.query_params
        for name, column in FILTERS.items():
            if value := query.get(name):
                number = number_in(value)
                rows = rows.none() if number is None else rows.filter(**{column: number})
        if status := query.get("status"):
            rows = out_of_stock(rows) if status == OUT_OF_STOCK else rows.filter(status=status)
        return searched(rows, query.get("search", ""))

    def sorted(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.request.query_params.get("sort_by") == "price":
            variants = Variant.objects.filter(product=OuterRef("pk")).order_by("pk")
            rows = rows.annotate(first_price=Subquery(variants.values("price")[:1]))
        return super().sorted(rows)

    def retrieve(self, request: Request, pk: str) -> Response:
        product = self.get_object()
        headers = {"ETag": f'"{product.version}"'}
        return Response(self.get_serializer(product).data, headers=headers)

    def create(self, request: Request) -> HttpResponseBase:
        """A new product with everything the wizard asked; 409 for a known SKU."""
        fields = self.validated(inputs.ProductInput)
        return self.once(
            lambda: self.respond(services.product_create(**fields, actor=self.actor), 201)
        )

    def update(self, request: Request, pk: str) -> Response:
        """Change what is named; the version read may be given as If-Match or in the body."""
        product = self.get_object()
        fields = self.validated(inputs.ProductInput, partial=True)
        fields.pop("merchant", None)
        body: Any = request.data
        seen = request.headers.get("If-Match", str(body.get("version", ""))).strip('W/"')
        changed = services.product_change(
            product,
            seen_version=number_in(seen),
            **fields,
            actor=self.actor,
        )
        return self.respond(changed)

    def partial_update(self, request: Request, pk: str) -> Response:
        """The same as PUT: what is not named stays."""
        return self.update(request, pk)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a product that nothing names; archive one that is used."""
        product = self.get_object()
        archived = services.product_remove(product, actor=self.actor)
        verb = "archived, because orders or stock name it" if archived else "deleted"
        return Response({"message": f"Product {product.name} was {verb}.", "archived": archived})

    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Put the product on sale."""
        return self.respond(services.product_publish(self.get_object(), actor=self.actor))

    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """Put the product away."""
        return self.respond(services.product_archive(self.get_object(), actor=self.actor))

    @action(detail=True, methods=["get"])
    def completeness(self, request: Request, pk: str) -> Response:
        """What the product still lacks."""
        product = self.get_object()
        lacks = services.missing(product)
        return Response({"completeness": services.completeness(product), "missing": lacks})

    @action(detail=False, methods=["get"])
    def stats(self, request: Request) -> Response:
        """How many products there are in each state, and what the stock is worth."""
        return Response(product_figures(self.filtered(Product.objects.all())))

    @action(detail=False, methods=["get"])
    def search(self, request: Request) -> Response:
        """Products by a few words."""
        rows = searched(self.get_queryset(), request.query_params.get("q", ""))
        return self.page(rows)

    @action(detail=False, methods=["post"], url_path="bulk-delete")
    def bulk_delete(self, request: Request) -> Response:
        """Delete or archive each of the chosen products."""
        ids = self.validated(inputs.ProductsChosenInput)["ids"]
        return self._bulk(ids, "deleted", lambda p: services.product_remove(p, actor=self.actor))

    @action(detail=False, methods=["post"], url_path="bulk-update-status")
    def bulk_update_status(self, request: Request) -> Response:
        """Move each of the chosen products to a status."""
        context = {"query": request.query_params.dict()}
        fields = self.validated(inputs.ProductsStatusInput, context=context)
        return self._bulk(
            fields["ids"],
            "updated",
            lambda p: services.product_status_set(p, status=fields["status"], actor=self.actor),
        )

    @action(detail=False, methods=["post"], url_path="bulk-import")
    def bulk_import(self, request: Request) -> Response:
        """Create or change products by SKU; a bad row harms no other row."""
        fields = self.validated(inputs.ProductsImportInput)
        good, bad = [], []
        for number, row in enumerate(fields["products"], start=1):
            form = inputs.ProductInput(data=row)
            if form.is_valid():
                good.append(form.validated_data)
            else:
                detail = invalid(form.errors)["detail"]
                bad.append({"row": number, "sku": row.get("sku"), "detail": detail})
        dry_run = fields["dry_run"]
        report = services.products_import(rows=good, dry_run=dry_run, actor=self.actor)
        failed = bad + report.failed
        done = len(report.created) + len(report.updated)
        return Response(
            {
                "success": not failed,
                "imported_count": done,
                "created": report.created,
                "updated": report.updated,
                "failed": failed,
                "dry_run": dry_run,
            }
        )

    def _bulk(self, ids: list[int], verb: str, change: Callable[[Product], Any]) -> Response:
        """Change each product in a transaction of its own and say which ones refused."""
        known = self.get_queryset().in_bulk(ids)
        failed = []
        for product_id in dict.fromkeys(ids):
            if product_id not in known:
                failed.append({"id": product_id, "detail": self.not_found})
                continue
            try:
                change(known[product_id])
            except Refusal as refusal:
                failed.append({"id": product_id, "detail": refusal.detail})
        done = len(dict.fromkeys(ids)) - len(failed)
        message = f"{done} products {verb}, {len(failed)} refused."
        body = {"success": not failed, f"{verb}_count": done, "failed": failed}
        return Response({**body, "message": message})


def searched(rows: QuerySet[Product], words: str) -> QuerySet[Product]:
    """The products whose name, description or SKU has every word."""
    for word in words.split()[:8]:
        sku = Variant.objects.filter(product=OuterRef("pk"), sku__icontains=word)
        rows = rows.filter(Q(name__icontains=word) | Q(description__icontains=word) | Exists(sku))
    return rows


def out_of_stock(rows: QuerySet[Product]) -> QuerySet[Product]:
    """The active products of which nothing can be sold."""
    variants = Variant.objects.filter(product=OuterRef("pk"))
    sellable = variants.annotate(units=ports.available_units("pk")).filter(
        Q(units__gt=0) | Q(track_inventory=False)
    )
    return rows.filter(~Exists(sellable), status=Product.Status.ACTIVE)


commerce.register("products", ProductViewSet)
