"""Orders in the console."""

from ecommerce.orders.admin import holds, imports, orders, parcels

__all__ = ["holds", "imports", "orders", "parcels"]
