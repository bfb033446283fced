"""Many products at once, matched by SKU and never by name."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from ecommerce.products.models import Variant
from ecommerce.products.services.products import product_change, product_create
from platform_site.common.access import requires
from platform_site.common.errors import Refusal


@dataclass
class ImportReport:
    """What an import did, or would do: SKUs created and changed, and the rows that failed."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)


@requires("products:edit")
@transaction.atomic
def products_import(
    *, rows: list[dict[str, Any]], dry_run: bool = False, actor: str
) -> ImportReport:
    """Create the products of unknown SKUs and change the others; a bad row harms no other row.

    With `dry_run` everything is tried and nothing is kept.
    """
    report = ImportReport()
    with transaction.atomic():
        for number, row in enumerate(rows, start=1):
            _import_row(number, row, report, actor)
        if dry_run:
            transaction.set_rollback(True)
    return report


def _import_row(number: int, row: dict[str, Any], report: ImportReport, actor: str) -> None:
    sku = row["sku"]
    variant = Variant.objects.select_related("product").filter(sku=sku).first()
    try:
        with transaction.atomic():
            if variant is None:
                product_create(**row, actor=actor)
            else:
                changes = {name: row[name] for name in row if name not in ("sku", "merchant")}
                product_change(variant.product, **changes, actor=actor)
    except Refusal as refusal:
        report.failed.append({"row": number, "sku": sku, "detail": refusal.detail})
        return
    (report.created if variant is None else report.updated).append(sku)
