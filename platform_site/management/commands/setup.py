"""`manage.py setup`: database, rights and first rows; what a start or an update needs before."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrates the database, writes rights and first-run rows. May run any number of times."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0, stdout=self.stdout)
        call_command("access_sync", stdout=self.stdout)
        call_command("first_run", stdout=self.stdout)
