"""What can happen to an order, and the facts that each event carries."""

ORDER_PLACED = "order.placed"  # order_number, customer_id, total, currency, origin
ORDER_CONFIRMED = "order.confirmed"  # order_number
ORDER_CHANGED = "order.changed"  # order_number, changes {field: [old, new]}
ORDER_HELD = "order.held"  # order_number, hold_id, reason, note
HOLD_RELEASED = "hold.released"  # order_number, hold_id, reason; the subject is the order
ORDER_PROCESSING = "order.processing"  # order_number, fulfillment_ids
ORDER_SHIPPED = "order.shipped"  # order_number
ORDER_DELIVERED = "order.delivered"  # order_number
ORDER_CANCELLED = "order.cancelled"  # order_number, reason
ORDER_EXPIRED = "order.expired"  # order_number
ORDER_NOTED = "order.noted"  # order_number, note_id, visible_to_customer
ORDER_RELEASED_STOCK = "order.released_stock"  # order_number, units; after a declined payment
ORDER_STATUS_COMPUTED = "order.status_computed"  # order_number, payment_status, fulfillment_status

FULFILLMENT_CREATED = "fulfillment.created"  # order_number, warehouse, units
FULFILLMENT_PACKED = "fulfillment.packed"  # order_number
FULFILLMENT_SHIPPED = "fulfillment.shipped"  # order_number, tracking_number
FULFILLMENT_DELIVERED = "fulfillment.delivered"  # order_number
FULFILLMENT_FAILED = "fulfillment.failed"  # order_number, reason
FULFILLMENT_CANCELLED = "fulfillment.cancelled"  # order_number, reason

IMPORT_FINISHED = "import.finished"  # file_name, orders, total
IMPORT_FAILED = "import.failed"  # file_name, reason
SERVICE_CODE_CHANGED = "service_code.changed"  # code, active
