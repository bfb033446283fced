"""What can happen to customers, and the facts that each event carries."""

CUSTOMER_CREATED = "customer.created"  # no personal facts: who wants more GETs it
CUSTOMER_CHANGED = "customer.changed"  # fields [names]
CUSTOMER_BLOCKED = "customer.blocked"  # reason
CUSTOMER_UNBLOCKED = "customer.unblocked"
CUSTOMER_PURCHASED = "customer.purchased"  # order_number, amount, currency
ADDRESS_ADDED = "address.added"  # customer_id, kind
