"""`manage.py access_sync`: groups and permissions as the matrix of rights says."""

from typing import Any

from django.core.management.base import BaseCommand

from platform_site.access_sync import access_sync


class Command(BaseCommand):
    help = "Writes roles and permissions to the database. May run any number of times."

    def handle(self, *args: Any, **options: Any) -> None:
        added, removed = access_sync()
        self.stdout.write(f"Permissions: {added} added, {removed} removed.")
