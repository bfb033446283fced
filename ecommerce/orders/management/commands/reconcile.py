"""`manage.py reconcile`: whether stock, payments and orders add up; exit 1 where they do not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ecommerce.inventory.models import StockMovement
from ecommerce.orders.models import Order
from ecommerce.orders.reconcile import all_differences
from ecommerce.payments.models import PaymentEvent


class Command(BaseCommand):
    help = "Compares stock, reservations, payments and orders with their ledgers. Corrects nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        found = all_differences()
        for sentence in found:
            self.stdout.write(sentence)
        if found:
            raise CommandError(f"{len(found)} figures do not follow from their ledgers.")
        self.stdout.write(
            f"All is right: {Order.objects.count()} orders, {StockMovement.objects.count()} stock "
            f"movements and {PaymentEvent.objects.count()} lines of the money ledger add up."
        )
