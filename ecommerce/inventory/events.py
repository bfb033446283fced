"""What can happen to stock, and the facts that each event carries."""

STOCK_RESERVED = "stock.reserved"  # subject, units
STOCK_RELEASED = "stock.released"  # subject, units
STOCK_SHIPPED = "stock.shipped"  # subject, units
STOCK_CHANGED = "stock.changed"  # sku, product_id, warehouse_id, on_hand, available, kind
STOCK_LOW = "stock.low"  # sku, product_id, warehouse_id, available, reorder_point
RESERVATION_EXPIRED = "reservation.expired"  # subject, units
STOCK_LEVEL_CHANGED = "stock_level.changed"  # old and new of each setting
