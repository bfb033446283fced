"""`GET /api/system/overview`: the business and the fleet on one page, every figure from rows."""

from datetime import timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.customers.models import Customer
from ecommerce.gateway.api import fleet
from ecommerce.orders.figures import placed_between, revenue
from ecommerce.orders.models import Order
from ecommerce.products.models import Merchant, Product
from platform_site.common import json
from platform_site.common.api import ApiView
from platform_site.common.money import ZERO
from platform_site.health import measured, version

DAY = timedelta(days=1)


class OverviewView(ApiView):
    """Answers on 8000 and 8100."""

    access = {"get": "queue:view"}
    served_by = "gateway"

    def get(self, request: Request) -> Response:
        """What nobody measures yet is null or `unknown`: alerts and uptime."""
        now = timezone.now()
        orders = Order.objects.order_by()
        earned = _earned(orders)
        as_of = json.instant(now)
        return Response(
            {
                "status": measured(None)[0],
                "timestamp": as_of,
                "agents": fleet(),
                "entities": {
                    "orders": orders.count(),
                    "products": Product.objects.exclude(status=Product.Status.ARCHIVED).count(),
                    "customers": Customer.objects.count(),
                    "merchants": Merchant.objects.filter(is_active=True).count(),
                },
                "activity": {
                    "orders_24h": placed_between(orders, since=now - DAY).count(),
                    "revenue_total": _in_one_currency(earned),
                    "revenue_by_currency": {code: str(sum_) for code, sum_ in earned.items()},
                    "active_alerts": None,
                },
                "uptime": "unknown",
                "version": version(),
                "as_of": as_of,
            }
        )


def _earned(orders: QuerySet[Order]) -> dict[str, Decimal]:
    """Net revenue by currency."""
    currencies = orders.order_by("currency").values_list("currency", flat=True).distinct()
    return {code: revenue(orders, currency=code).net for code in currencies}


def _in_one_currency(earned: dict[str, Decimal]) -> json.Number | None:
    """One figure where there is one currency; sums over several would mean nothing."""
    return json.Number(sum(earned.values(), ZERO)) if len(earned) < 2 else None
