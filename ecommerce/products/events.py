"""What can happen in the catalogue, and the facts that each event carries."""

PRODUCT_CREATED = "product.created"  # sku, name, status
PRODUCT_CHANGED = "product.changed"  # changes {field: [old, new]}
PRODUCT_PUBLISHED = "product.published"  # sku
PRODUCT_POSTPONED = "product.postponed"  # reason: it was due and not complete
PRODUCT_DEACTIVATED = "product.deactivated"  # sku
PRODUCT_ARCHIVED = "product.archived"  # sku
PRODUCT_RESTORED = "product.restored"  # sku
PRODUCT_DELETED = "product.deleted"  # sku
VARIANT_PRICED = "variant.priced"  # sku, old, new
CATEGORY_CREATED = "category.created"  # slug
MERCHANT_CREATED = "merchant.created"  # code
CHANNEL_CREATED = "channel.created"  # code, currency
