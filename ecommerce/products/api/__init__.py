"""The routes of the catalogue; importing this package registers them."""

from ecommerce.products.api import categories, commerce

__all__ = ["categories", "commerce"]
