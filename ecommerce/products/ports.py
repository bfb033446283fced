"""What the catalogue shows and cannot know: stock. `ecommerce.inventory` fills these at start."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Expression

from platform_site.common.ports import Port

# stock_of(product_ids) -> {product_id: [Inventory as the Commerce API shows it]}
stock_of: Port[[Iterable[int]], dict[int, list[dict[str, Any]]]] = Port("products.stock_of")

# opening_stock(product, [{warehouse_id, quantity, low_stock_threshold}], actor): the wizard's stock
opening_stock: Port[[Any, list[dict[str, Any]], str], None] = Port("products.opening_stock")

# available_units("pk"): SQL for the sellable units of the variant that the outer query names
available_units: Port[[str], Expression] = Port("products.available_units")
