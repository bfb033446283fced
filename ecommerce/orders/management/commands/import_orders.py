"""`manage.py import_orders FILE`: the orders of a sales file, once however often it is run."""

import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecommerce.orders.importer.dialects import DATE_ORDERS
from ecommerce.orders.importer.reading import read
from ecommerce.orders.services.importing import import_file
from platform_site.common.context import tracing
from platform_site.common.errors import Refusal

ACTOR = "import_orders"
WIDTH = 30
SHOWN = 20


class Command(BaseCommand):
    help = (
        "Imports a sales file: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, "
        "UnitPrice, CustomerID, Country. Reads comma, semicolon or tab, decimal point or comma, "
        "UTF-8 or "
        "Latin-1. May be stopped and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--date-format", choices=DATE_ORDERS, default="", help="where the file does not decide"
        )
        parser.add_argument("--channel", default="", help="code of the sales channel")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            file = read(options["file"], date_order=options["date_format"])
            self.stdout.write(f"{file.name}: {_words(file.dialect.described())}")
            with tracing():
                run = import_file(
                    file, channel=options["channel"], on_advance=self._advance, actor=ACTOR
                )
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self._tell(run.report, time.monotonic() - started)

    def _advance(self, what: str, done: int, total: int) -> None:
        """A bar on a terminal; elsewhere a line for each tenth."""
        if sys.stderr.isatty():
            bar = "#" * (WIDTH * done // total)
            end = "\n" if done == total else ""
            self.stderr.write(f"\r{what:9} [{bar:{WIDTH}}] {done}/{total}", ending=end)
        elif done == total or done * 10 // total > (done - 1) * 10 // total:
            self.stderr.write(f"{what} {done}/{total}")

    def _tell(self, report: dict[str, Any], took_s: float) -> None:
        orders, notes = report["orders"], report["credit_notes"]
        self.stdout.write(
            f"Orders        {orders['in_file']} in the file: {orders['new']} new, "
            f"{orders['known']} known already\n"
            f"As sold       {orders['total']} {orders['currency']} in {report['lines']} lines, "
            f"{report['units']} units\n"
            f"Customers     {report['customers']}, and {orders['guests']} orders of guests\n"
            f"Products      {report['products']}, and {report['service_lines']} service lines\n"
            f"Credit notes  {notes['documents']} with {notes['lines']} lines, {notes['total']} "
            f"{orders['currency']}; {notes['linked']} linked to their order"
        )
        self._list("Left out", report["left_out"])
        self._list("Not readable, and nothing of the invoice imported", report["refused"])
        self.stdout.write(f"Took          {took_s:.1f} s")

    def _list(self, title: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        self.stdout.write(f"{title}: {len(rows)} line{'s' * (len(rows) > 1)}")
        for row in rows[:SHOWN]:
            code = row.get("code", "")
            self.stdout.write(f"  line {row['line']}, {row['invoice']} {code}: {row['reason']}")
        if len(rows) > SHOWN:
            self.stdout.write(f"  … and {len(rows) - SHOWN} more, kept in the import run")


def _words(dialect: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in dialect.items())
