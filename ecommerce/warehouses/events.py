"""What can happen on the floor, and the facts that each event carries."""

PICK_REQUESTED = "pick.requested"  # subject, order_number, warehouse
PICK_PLANNED = "pick.planned"  # subject, order_number, automation
PICK_COMPLETED = "pick.completed"  # subject, order_number
PICK_SHORT = "pick.short"  # subject, order_number, missing {sku: units}
PICK_CANCELLED = "pick.cancelled"  # subject, order_number, put_back {sku: units}
PICK_PUT_BACK = "pick.put_back"  # subject, order_number
PACK_COMPLETED = "pack.completed"  # subject, order_number, weight_g
WAREHOUSE_CHANGED = "warehouse.changed"  # code, changes {field: [old, new]}
