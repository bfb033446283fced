"""Routes about orders that belong to somebody else's address: customers' orders, the KPIs."""

from decimal import Decimal
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.customers.models import Customer
from ecommerce.orders import figures
from ecommerce.orders.api import inputs, rows
from ecommerce.orders.api.serializers import OrderSerializer
from ecommerce.orders.models import Order
from platform_site.common import json
from platform_site.common.api import ApiView, Id, Input
from platform_site.common.api.pages import commerce_window
from platform_site.common.api.ranges import TIME_RANGES
from platform_site.common.errors import Missing

VIEW = "orders:view"
SHOWN = 100


class CustomerInput(Input):
    aliases = {"customerId": "customer_id"}

    customer_id = Id()


class CustomerOrdersView(ApiView):
    """`GET /api/customers/{id}/orders`."""

    served_by = "customers"
    access = {"get": VIEW}

    def get(self, request: Request, pk: str) -> Response:
        customer = Customer.objects.filter(pk=int(pk)).first() if len(pk) <= 18 else None
        if customer is None:
            raise Missing("Customer not found")
        window = commerce_window(request, 20, 100)
        found = rows.filtered(customer.orders.all(), request)
        total = found.order_by().count()
        shown = rows.shown(found.order_by("-pk"))[window.start : window.stop]
        context = {"personal": self.may("customer:personal")}
        body = OrderSerializer(shown, many=True, context=context).data
        return Response({"orders": body, "pagination": window.envelope(total)})


class MyOrdersView(ApiView):
    """`GET /api/customer/orders?customer_id=`: the newest orders of one customer."""

    access = {"get": VIEW}

    def get(self, request: Request) -> Response:
        fields = self.query(CustomerInput)
        found = Order.objects.filter(customer=fields["customer_id"]).order_by("-pk")
        context = {"personal": self.may("customer:personal")}
        body = OrderSerializer(rows.shown(found)[:SHOWN], many=True, context=context).data
        return Response({"orders": body})


class KpisView(ApiView):
    """`GET /api/analytics/kpis`: the period beside the one before it.

    Nobody counts visits yet, so the conversion rate is unknown: null, never a constant.
    """

    access = {"get": VIEW}

    def get(self, request: Request) -> Response:
        fields = self.query(inputs.RangeInput)
        length = TIME_RANGES[fields.get("time_range", "30d")]
        now = timezone.now()
        placed = Order.objects.all()
        if "merchant_id" in fields:
            placed = placed.filter(merchant_id=fields["merchant_id"])
        present = figures.revenue(figures.placed_between(placed, since=now - length))
        past = figures.revenue(
            figures.placed_between(placed, since=now - 2 * length, until=now - length)
        )
        return Response(_kpis(present, past) | {"as_of": json.instant(now)})


def _kpis(present: figures.Revenue, past: figures.Revenue) -> dict[str, Any]:
    amounts: dict[str, Decimal] = {
        "totalSales": present.net,
        "averageOrderValue": present.average,
    }
    return {
        **{name: json.Number(amount) for name, amount in amounts.items()},
        "totalOrders": present.orders,
        "conversionRate": None,
        "salesGrowth": figures.growth(present.net, past.net),
        "ordersGrowth": figures.growth(present.orders, past.orders),
        "aovGrowth": figures.growth(present.average, past.average),
        "conversionGrowth": None,
        "amounts": {name: str(amount) for name, amount in amounts.items()},
    }
