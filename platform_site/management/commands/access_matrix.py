"""`manage.py access_matrix`: writes route x method x role to `tests/access_matrix.csv`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from platform_site.access_matrix import as_csv


class Command(BaseCommand):
    help = "Writes who may call what; a changed right is a difference that somebody reviews."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "tests" / "access_matrix.csv"
        path.write_text(as_csv())
        self.stdout.write(f"{path} written.")
