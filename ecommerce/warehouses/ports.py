"""What the list of warehouses shows and cannot know; `ecommerce.inventory` fills it at start."""

from collections.abc import Iterable

from platform_site.common.ports import Port

# inventory_items(warehouse_ids) -> {warehouse_id: how many SKUs have a stock level there}
inventory_items: Port[[Iterable[int]], dict[int, int]] = Port("warehouses.inventory_items")
