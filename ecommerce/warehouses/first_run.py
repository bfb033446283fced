"""The warehouse that a fresh installation starts with."""

from django.db import transaction

from ecommerce.warehouses.models import Warehouse
from ecommerce.warehouses.services import warehouse_create


@transaction.atomic
def ensure(*, actor: str) -> None:
    """One warehouse MAIN whose floor works by itself, where there is none yet."""
    if not Warehouse.objects.exists():
        warehouse_create(
            code="MAIN",
            name="Main warehouse",
            automation=Warehouse.Automation.AUTO,
            address="2 Harbour Street",
            city="London",
            postal_code="EC1A 1BB",
            country="GB",
            actor=actor,
        )
