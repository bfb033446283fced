"""The routes of orders in the Commerce API, and what the payments routes ask of them."""

from ecommerce.orders.api.lists import CustomerOrdersView, KpisView, MyOrdersView
from ecommerce.orders.api.orders import OrderViewSet
from ecommerce.orders.api.ports import order_number_of, order_pay, order_rows
from ecommerce.payments import ports as payments
from platform_site.common.api import commerce

commerce.register("orders", OrderViewSet)
commerce.view(r"customers/(?P<pk>[0-9]{1,18})/orders", CustomerOrdersView.as_view())
commerce.view(r"customer/orders", MyOrdersView.as_view())
commerce.view(r"analytics/kpis", KpisView.as_view())

payments.order_rows.fill(order_rows)
payments.order_number_of.fill(order_number_of)
payments.order_pay.fill(order_pay)
