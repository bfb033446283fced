"""Every write to the catalogue."""

from ecommerce.products.services.categories import SlugTaken, category_create
from ecommerce.products.services.imports import ImportReport, products_import
from ecommerce.products.services.merchants import channel_create, merchant_create
from ecommerce.products.services.products import (
    SkuTaken,
    product_change,
    product_create,
    product_remove,
)
from ecommerce.products.services.states import (
    Incomplete,
    completeness,
    missing,
    product_archive,
    product_deactivate,
    product_postpone,
    product_publish,
    product_restore,
    product_status_set,
)
from ecommerce.products.services.variants import sales_record, variant_ensure

__all__ = [
    "ImportReport",
    "Incomplete",
    "SkuTaken",
    "SlugTaken",
    "category_create",
    "channel_create",
    "completeness",
    "merchant_create",
    "missing",
    "product_archive",
    "product_change",
    "product_create",
    "product_deactivate",
    "product_postpone",
    "product_publish",
    "product_remove",
    "product_restore",
    "product_status_set",
    "products_import",
    "sales_record",
    "variant_ensure",
]
