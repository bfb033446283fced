"""What payments show and cannot know: orders. `ecommerce.orders` fills these at start."""

from collections.abc import Iterable
from typing import Any

from platform_site.common.ports import Port

# order_rows(order_numbers) -> {order_number: {"id", "order_number", "total"}}
order_rows: Port[[Iterable[str]], dict[str, dict[str, Any]]] = Port("payments.order_rows")

# order_number_of("7" or "ORD-000007") -> "ORD-000007", or "" if there is no such order
order_number_of: Port[[str], str] = Port("payments.order_number_of")

# order_pay("7" or "ORD-000007", amount=, method=, currency=, capture=, card_last4=, card_brand=,
# simulate=, idempotency_key=, actor=) -> Payment, after the order's own rules; 422 without order
order_pay: Port[..., Any] = Port("payments.order_pay")
