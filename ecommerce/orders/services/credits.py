"""Documents of imported files that are no sales: kept as read, linked where one sale fits."""

from django.db import transaction

from ecommerce.orders.importer.reading import FileDocument, SalesFile
from ecommerce.orders.models import ImportedDocument, Order
from ecommerce.products.models import SalesChannel

Kind = ImportedDocument.Kind


@transaction.atomic
def documents_keep(file: SalesFile, *, channel: SalesChannel) -> list[ImportedDocument]:
    """Keep each credit note and each invoice with odd lines once; all of the file's."""
    found = [(Kind.CREDIT_NOTE, note) for note in file.credit_notes]
    found += [(Kind.ODD_LINES, document) for document in file.odd]
    return [_keep(kind, document, channel) for kind, document in found]


def _keep(kind: str, document: FileDocument, channel: SalesChannel) -> ImportedDocument:
    row, _ = ImportedDocument.objects.get_or_create(
        channel=channel,
        kind=kind,
        external_ref=document.number,
        defaults={
            "dated_at": document.at,
            "customer_ref": document.customer,
            "amount": document.total,
            "lines": [line.raw() for line in document.lines],
            "order": _sale_of(document, channel) if kind == Kind.CREDIT_NOTE else None,
        },
    )
    return row


def _sale_of(note: FileDocument, channel: SalesChannel) -> Order | None:
    """The one earlier order of the customer that holds all that the note takes back, else None."""
    if not note.customer:
        return None
    sales = Order.objects.filter(
        channel=channel, customer__external_ref=note.customer, placed_at__lte=note.at
    )
    taken_back: dict[str, int] = {}
    for line in note.lines:
        taken_back[line.code] = taken_back.get(line.code, 0) - line.quantity
    fitting = [sale for sale in sales if _holds(sale, taken_back)]
    return fitting[0] if len(fitting) == 1 else None


def _holds(sale: Order, taken_back: dict[str, int]) -> bool:
    sold: dict[str, int] = {}
    for sku, quantity in sale.items.filter(sku__in=taken_back).values_list("sku", "quantity"):
        sold[sku] = sold.get(sku, 0) + quantity
    return all(sold.get(code, 0) >= units for code, units in taken_back.items())
