"""`manage.py first_run`: the administrator, the operator's key and the rows of the first start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from platform_site.common.errors import Refusal
from platform_site.first_run import ADMIN, first_run


class Command(BaseCommand):
    help = "Makes what a fresh installation needs. May run any number of times."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = first_run()
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        # To the terminal and to nothing else: these two are shown once and stored as hashes.
        if made.password:
            self.stdout.write(f"Administrator  {ADMIN}\nPassword       {made.password}")
        if made.key:
            self.stdout.write(f"API key        {made.key}   (role operator)")
        if made.password or made.key:
            self.stdout.write("They are shown this once; only their hashes are kept.")
