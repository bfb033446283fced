"""`manage.py demo`: one simulated shopper who buys over the public routes until stopped."""

import os
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecommerce.orders.demo import shop_forever


class Command(BaseCommand):
    help = "Lets a simulated shopper buy from a running server. Ctrl-C ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default=f"http://127.0.0.1:{settings.PORT}")
        parser.add_argument("--key", default="", help="an API key; else FLEETDESK_API_KEY")

    def handle(self, *args: Any, **options: Any) -> None:
        key = options["key"] or os.environ.get("FLEETDESK_API_KEY", "")
        if not key:
            raise CommandError("Name an API key with --key or in FLEETDESK_API_KEY.")
        stop = threading.Event()
        try:
            placed = shop_forever(options["url"], key, stop)
        except KeyboardInterrupt:
            stop.set()
            self.stdout.write("The shopper went home.")
        else:
            self.stdout.write(f"{placed} orders placed.")
