"""The inventory agent: takes back promises whose time is over, and tells others what there is."""

from ecommerce.agents import BY_PACKAGE
from ecommerce.inventory import services, stock
from ecommerce.products import ports as products
from ecommerce.warehouses import ports as warehouses
from tasks.ticks import tick

ACTOR = f"agent:{BY_PACKAGE['inventory'].agent_id}"

products.stock_of.fill(stock.stock_of)
products.available_units.fill(stock.available_units)
products.opening_stock.fill(services.opening_stock)
warehouses.inventory_items.fill(stock.inventory_items)


@tick(every_s=30)
def expire_reservations() -> None:
    """Each subject in a transaction of its own: one that somebody holds delays no other."""
    for subject in services.subjects_overdue():
        services.reservation_expire(subject=subject, actor=ACTOR)
