"""Categories, and the two shelves of the shop window: featured products and new arrivals."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.products import ports, services
from ecommerce.products.api.inputs import CategoryCreateInput
from ecommerce.products.api.shapes import CategorySerializer, ProductSerializer
from ecommerce.products.models import Category, Product
from platform_site.common.api import ApiView, Input, commerce

ACTIVE = Product.Status.ACTIVE


class CategoriesView(ApiView):
    """`/api/categories` lists what is in use, `/categories` everything."""

    access = {"get": "products:view", "post": services.category_create}

    def get(self, request: Request) -> Response:
        """The whole tree, flat."""
        rows = Category.objects.all()
        if request.path.startswith("/api/"):
            rows = rows.filter(is_active=True)
        return Response({"categories": CategorySerializer(rows, many=True).data})

    def post(self, request: Request) -> HttpResponseBase:
        """A new category; 409 for a known slug."""
        fields = self.validated(CategoryCreateInput)

        def answer() -> Response:
            category = services.category_create(**fields, actor=self.actor)
            return Response(CategorySerializer(category).data, 201)

        return self.once(answer)


class ShelfInput(Input):
    """How many products a shelf shows."""

    limit = serializers.IntegerField(min_value=1, max_value=50, default=10)


class ShelfView(ApiView):
    """A bare list of active products."""

    access = {"get": "products:view"}

    def get(self, request: Request) -> Response:
        """The first products of the shelf."""
        limit = self.query(ShelfInput)["limit"]
        rows = Product.objects.filter(status=ACTIVE).select_related("category")
        products = list(self.ordered(rows.prefetch_related("variants__product"))[:limit])
        context = {
            "stock": ports.stock_of([product.pk for product in products]),
            "sees_cost": self.may(services.product_change),
        }
        shown = ProductSerializer(products, many=True, context=context).data
        return Response([self.worded(row) for row in shown])

    def ordered(self, rows: QuerySet[Product]) -> QuerySet[Product]:
        """Which products stand first."""
        return rows.order_by("-created_at", "-pk")

    def worded(self, row: dict[str, Any]) -> dict[str, Any]:
        """A product in the words of this shelf."""
        return row


class NewArrivalsView(ShelfView):
    """`/new-arrivals`: the newest first."""


class FeaturedView(ShelfView):
    """`/featured`: the featured first, then what sells best."""

    def ordered(self, rows: QuerySet[Product]) -> QuerySet[Product]:
        return rows.order_by("-is_featured", "-sales_count", "-pk")

    def worded(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "featured": row["is_featured"], "reviews": row["review_count"]}


commerce.view("categories", CategoriesView.as_view())
commerce.view("featured", FeaturedView.as_view())
commerce.view("new-arrivals", NewArrivalsView.as_view())
