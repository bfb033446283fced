"""Variants as other domains need them: there under their SKU, priced as last sold, counted."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ecommerce.products import events
from ecommerce.products.models import Merchant, Product, Sale, Variant
from ecommerce.products.services.products import SkuTaken, product_create
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid


@requires("products:edit")
@transaction.atomic
def variant_ensure(
    *, sku: str, name: str, price: Decimal, merchant: Merchant | None = None, actor: str
) -> Variant:
    """The variant of that SKU at that price: a new active product, or the price of the old one.

    A price of 0 is no price: the product then stays a draft, or keeps the price that it had.
    """
    variant = Variant.objects.select_related("product").filter(sku=sku).first()
    if variant is None:
        variant = _created(sku, name, price, merchant, actor)
    if price and variant.price != price:
        old = variant.price
        Variant.objects.filter(pk=variant.pk).update(
            price=price, updated_at=timezone.now(), version=F("version") + 1
        )
        variant.refresh_from_db()
        emit(events.VARIANT_PRICED, variant, actor=actor, sku=sku, old=old, new=price)
    return variant


@requires("products:edit")
@transaction.atomic
def sales_record(
    *, order_number: str, lines: Iterable[tuple[Variant, int]], actor: str
) -> list[Sale]:
    """Count what a delivered order sold, once for each order; returns what was new.

    Lines of one variant are summed.
    """
    units: dict[int, int] = {}
    for variant, quantity in lines:
        units[variant.pk] = units.get(variant.pk, 0) + quantity
    known = Sale.objects.filter(order_number=order_number).values_list("variant_id", flat=True)
    new = sorted(set(units) - set(known))
    sales = [
        Sale(variant_id=variant_id, order_number=order_number, quantity=units[variant_id])
        for variant_id in new
    ]
    Sale.objects.bulk_create(sales)
    for sale in sales:
        Product.objects.filter(variants=sale.variant_id).update(
            sales_count=F("sales_count") + sale.quantity
        )
    return sales


def _created(sku: str, name: str, price: Decimal, merchant: Merchant | None, actor: str) -> Variant:
    merchant = merchant or Merchant.objects.filter(is_active=True).first()
    if merchant is None:
        raise Invalid("There is no merchant yet; run manage.py first_run.", field="merchant")
    status = Product.Status.ACTIVE if price else Product.Status.DRAFT
    try:
        with transaction.atomic():
            product_create(
                merchant=merchant,
                sku=sku,
                name=name or sku,
                price=price,
                status=status,
                actor=actor,
            )
    except SkuTaken:
        pass  # another process was first; its variant is the one
    return Variant.objects.select_related("product").get(sku=sku)
