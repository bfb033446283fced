"""Imported orders: as they were sold, each in a transaction of its own, each once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ecommerce.customers.models import Customer
from ecommerce.customers.services import address_add, customer_create
from ecommerce.inventory.models import StockLevel
from ecommerce.inventory.services import stock_receive_many
from ecommerce.orders import events
from ecommerce.orders.importer.reading import FileDocument, Line, SalesFile
from ecommerce.orders.models import ImportedDocument, ImportRun, Order, OrderItem, ServiceCode
from ecommerce.orders.services.credits import documents_keep
from ecommerce.orders.services.holding import PAYMENT_WINDOW
from ecommerce.orders.services.placing import order_create
from ecommerce.products.models import Merchant, SalesChannel, Variant
from ecommerce.products.services import variant_ensure
from ecommerce.warehouses.models import Warehouse
from messaging.events import emit
from platform_site.common.countries import country_code
from platform_site.common.errors import Refusal
from platform_site.common.money import ZERO

PRODUCTS_AT_ONCE = 200
METHOD = "account"
Advance = Callable[[str, int, int], None]  # what is being done, how many of how many


class NotSetUp(Refusal):
    """The rows of the first start are missing."""

    code = "not_set_up"


@dataclass
class Desk:
    """What every order of a run shares."""

    channel: SalesChannel
    merchant: Merchant
    warehouse: Warehouse
    actor: str
    services: set[str] = field(default_factory=set)
    variants: dict[str, Variant] = field(default_factory=dict)


def import_file(
    file: SalesFile, *, channel: str = "", on_advance: Advance, actor: str
) -> ImportRun:
    """Import what is new in a file; may be killed at any point and run again.

    Each order is one transaction with its customer, its opening stock and its reservation. What is
    there already (the same invoice in the same channel) is counted and left alone.
    """
    desk = _desk(channel, actor)
    run = _run_start(file, desk)
    try:
        _products(file, desk, on_advance)
        new = _orders(file, desk, on_advance)
        kept = documents_keep(file, channel=desk.channel)
    except BaseException as error:
        run_fail(run, reason=f"{type(error).__name__}: {error}", actor=actor)
        raise
    return run_finish(run, report=_report(file, desk, new, kept), actor=actor)


def _desk(code: str, actor: str) -> Desk:
    channels = SalesChannel.objects.filter(is_active=True).order_by("pk")
    channel = (channels.filter(code=code) if code else channels).first()
    merchant = Merchant.objects.filter(is_active=True).order_by("pk").first()
    warehouse = Warehouse.objects.filter(is_active=True).order_by("pk").first()
    if code and channel is None:
        known = ", ".join(channels.values_list("code", flat=True)) or "none yet"
        raise NotSetUp(f"There is no sales channel {code}; there are: {known}.")
    if channel is None or merchant is None or warehouse is None:
        raise NotSetUp("A channel, a merchant and a warehouse are needed; run manage.py setup.")
    services = ServiceCode.objects.filter(active=True).values_list("code", flat=True)
    return Desk(channel, merchant, warehouse, actor, set(services))


@transaction.atomic
def _run_start(file: SalesFile, desk: Desk) -> ImportRun:
    """A new run; one of the same file that nobody ended was killed."""
    for old in ImportRun.objects.filter(sha256=file.sha256, status=ImportRun.Status.RUNNING):
        run_fail(old, reason="It was ended from outside; a later run went on.", actor=desk.actor)
    return ImportRun.objects.create(
        file_name=file.name,
        sha256=file.sha256,
        channel=desk.channel,
        dialect=file.dialect.described(),
        actor=desk.actor,
    )


@transaction.atomic
def run_fail(run: ImportRun, *, reason: str, actor: str) -> ImportRun:
    """The run ended before the file did; everything that it imported stays."""
    run.become(ImportRun.Status.FAILED, finished_at=timezone.now(), report={"failed": reason[:500]})
    emit(events.IMPORT_FAILED, run, actor=actor, file_name=run.file_name, reason=reason[:500])
    return run


@transaction.atomic
def run_finish(run: ImportRun, *, report: dict[str, Any], actor: str) -> ImportRun:
    """The file was read to its end."""
    run.become(ImportRun.Status.DONE, finished_at=timezone.now(), report=report)
    facts = {"orders": report["orders"]["new"], "total": report["orders"]["total"]}
    emit(events.IMPORT_FINISHED, run, actor=actor, file_name=run.file_name, **facts)
    return run


def _products(file: SalesFile, desk: Desk, on_advance: Advance) -> None:
    """Every article once, at the last price of the file and under its first name."""
    last: dict[str, Decimal] = {}
    names: dict[str, str] = {}
    for line in _goods(file, desk):
        last[line.code] = line.price
        names[line.code] = names.get(line.code) or line.description
    codes = sorted(last)
    for start in range(0, len(codes), PRODUCTS_AT_ONCE):
        with transaction.atomic():
            for code in codes[start : start + PRODUCTS_AT_ONCE]:
                desk.variants[code] = variant_ensure(
                    sku=code,
                    name=names[code],
                    price=last[code],
                    merchant=desk.merchant,
                    actor=desk.actor,
                )
        on_advance("products", min(start + PRODUCTS_AT_ONCE, len(codes)), len(codes))


def _goods(file: SalesFile, desk: Desk) -> list[Line]:
    lines = (line for sale in file.sales for line in sale.lines)
    return [line for line in lines if line.code not in desk.services]


def _orders(file: SalesFile, desk: Desk, on_advance: Advance) -> set[str]:
    known = set(
        Order.objects.filter(channel=desk.channel)
        .exclude(external_ref="")
        .values_list("external_ref", flat=True)
    )
    new = set()
    for number, sale in enumerate(file.sales, start=1):
        if sale.number not in known and _import_once(sale, desk):
            new.add(sale.number)
        on_advance("orders", number, len(file.sales))
    return new


def _import_once(sale: FileDocument, desk: Desk) -> bool:
    """Whether the order is new; of two imports at the same time the constraint lets one through."""
    try:
        order_import(sale, desk=desk, actor=desk.actor)
    except IntegrityError:
        if Order.objects.filter(channel=desk.channel, external_ref=sale.number).exists():
            return False
        raise
    return True


@transaction.atomic
def order_import(sale: FileDocument, *, desk: Desk, actor: str) -> Order:
    """One order as it was sold: no tax and no shipping added, at the file's time."""
    customer = _customer(sale, actor)
    address = {"name": customer.name if customer else "", "country": country_code(sale.country)}
    lines = [_item(line, desk) for line in sale.lines]
    total = sum((line.total_price for line in lines), ZERO)
    order = Order(
        merchant=desk.merchant,
        channel=desk.channel,
        customer=customer,
        email=customer.email if customer else "",
        currency=desk.channel.currency,
        origin=Order.Origin.IMPORT,
        external_ref=sale.number,
        shipping_address=address,
        billing_address=address,
        payment_method=METHOD,
        subtotal=total,
        total=total,
        placed_at=sale.at,
        expires_at=timezone.now() + PAYMENT_WINDOW,
    )
    _opening_stock(sale, desk, actor)
    return order_create(order, lines=lines, actor=actor)


def _customer(sale: FileDocument, actor: str) -> Customer | None:
    if not sale.customer:
        return None
    known = Customer.objects.filter(external_ref=sale.customer).first()
    if known is not None:
        return known
    customer = customer_create(external_ref=sale.customer, actor=actor)
    if sale.country:
        country = country_code(sale.country)
        address_add(customer, kind="both", is_default=True, country=country, actor=actor)
    return customer


def _item(line: Line, desk: Desk) -> OrderItem:
    variant = desk.variants.get(line.code)
    return OrderItem(
        variant=variant,
        sku=line.code,
        name=line.description or (variant.title if variant else line.code),
        quantity=line.quantity,
        unit_price=line.price,
        unit_cost=variant.cost if variant else None,
        total_price=line.total,
        weight_g=variant.weight_g if variant else None,
        metadata={"line": line.number},
    )


def _opening_stock(sale: FileDocument, desk: Desk, actor: str) -> None:
    """What the order needs and the shelf has not: it was there when the order was sold."""
    wanted: dict[Variant, int] = {}
    first_line: dict[Variant, int] = {}
    for line in sale.lines:
        if variant := desk.variants.get(line.code):
            wanted[variant] = wanted.get(variant, 0) + line.quantity
            first_line.setdefault(variant, line.number)
    levels = StockLevel.objects.filter(
        warehouse=desk.warehouse, variant__in=[variant.pk for variant in wanted]
    )
    free = {level.variant_id: level.available for level in levels}
    missing = [
        (variant, units - free.get(variant.pk, 0), f"import:{sale.number}:{first_line[variant]}")
        for variant, units in sorted(wanted.items(), key=lambda pair: pair[0].pk)
        if units > free.get(variant.pk, 0)
    ]
    if missing:
        reason = f"Opening stock for {sale.number}"
        stock_receive_many(warehouse=desk.warehouse, lines=missing, reason=reason, actor=actor)


def _report(
    file: SalesFile, desk: Desk, new: set[str], kept: list[ImportedDocument]
) -> dict[str, Any]:
    """The figures of the file, and what of it was new."""
    lines = [line for sale in file.sales for line in sale.lines]
    customers = {sale.customer for sale in file.sales if sale.customer}
    return {
        "orders": {
            "in_file": len(file.sales),
            "new": len(new),
            "known": len(file.sales) - len(new),
            "guests": sum(1 for sale in file.sales if not sale.customer),
            "total": str(sum((sale.total for sale in file.sales), ZERO)),
            "currency": desk.channel.currency,
        },
        "lines": len(lines),
        "units": sum(line.quantity for line in lines),
        "customers": len(customers),
        "products": len(desk.variants),
        "service_lines": sum(1 for line in lines if line.code in desk.services),
        "credit_notes": {
            "documents": len(file.credit_notes),
            "lines": sum(len(note.lines) for note in file.credit_notes),
            "total": str(sum((note.total for note in file.credit_notes), ZERO)),
            "linked": sum(1 for row in kept if row.order_id),
        },
        "left_out": [
            {"invoice": document.number, **line.raw(), "reason": _why_odd(line)}
            for document in file.odd
            for line in document.lines
        ],
        "refused": [
            {"invoice": invoice, **problem}
            for invoice, problems in file.refused.items()
            for problem in problems
        ],
    }


def _why_odd(line: Line) -> str:
    return "negative quantity" if line.quantity <= 0 else "no price"
