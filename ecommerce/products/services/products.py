"""Products: created whole, changed with their history, removed only while nothing names them."""

from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone
from django.utils.text import slugify

from ecommerce.products import events, ports
from ecommerce.products.models import Category, Merchant, Product, Variant
from ecommerce.products.services import states, wizard
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, Refusal, StaleState

Status = Product.Status


class SkuTaken(Refusal):
    """Another product has this SKU."""

    code = "sku_taken"


@requires("products:edit")
@transaction.atomic
def product_create(
    *,
    merchant: Merchant,
    sku: str,
    name: str,
    price: Decimal,
    cost: Decimal | None = None,
    category: Category | None = None,
    tax_class: str = "standard",
    weight_g: int | None = None,
    status: str = Status.DRAFT,
    actor: str,
    **more: Any,
) -> Product:
    """A product with one variant and whatever else the wizard says, all of it or nothing.

    Raises SkuTaken, Invalid, and Incomplete for one that should be on sale and is not ready.
    """
    slug = more.pop("slug", "") or name
    fields = wizard.sorted_fields({"weight_g": weight_g, **more})
    columns = {**fields.product, "name": name, "category": category, "tax_class": tax_class}
    product = _insert(slug, {**columns, "merchant": merchant, "attributes": fields.attributes})
    variant = {**fields.variant, "sku": sku, "price": price, "cost": cost}
    try:
        with transaction.atomic():
            Variant.objects.create(product=product, **variant)
    except IntegrityError as error:
        raise _sku_taken(sku) from error
    if fields.bundle_items:
        wizard.bundle_save(product, fields.bundle_items)
    if fields.warehouse_inventory:
        ports.opening_stock(product, fields.warehouse_inventory, actor)
    emit(events.PRODUCT_CREATED, product, actor=actor, sku=sku, name=name, status=status)
    return states.product_status_set(product, status=status, actor=actor)


@requires("products:edit")
@transaction.atomic
def product_change(
    product: Product, *, seen_version: int | None = None, actor: str, **changes: Any
) -> Product:
    """Change any of the wizard's fields, each named as in the wizard.

    `seen_version` is the version that the caller read. Raises StaleState if it is another by now,
    SkuTaken, Invalid for the SKU of a product that was on sale.
    """
    status = changes.pop("status", None)
    changes.pop("slug", None)
    fields = wizard.sorted_fields(changes)
    columns = _different(product, fields.product)
    attributes = _different(product.attributes, fields.attributes)
    variant, old_variant = product.first_variant, {}
    if variant is not None and fields.variant:
        old_variant = _change_variant(product, variant, fields.variant)
    if columns or attributes or old_variant or fields.bundle_items is not None:
        _write(product, seen_version, columns, {**product.attributes, **fields.attributes})
        if fields.bundle_items is not None:
            wizard.bundle_save(product, fields.bundle_items)
        facts = _history(columns | attributes | old_variant, changes)
        emit(events.PRODUCT_CHANGED, product, actor=actor, changes=facts)
    if fields.warehouse_inventory:
        ports.opening_stock(product, fields.warehouse_inventory, actor)
    if status is not None:
        product = states.product_status_set(product, status=status, actor=actor)
    return product


@requires("products:edit")
@transaction.atomic
def product_remove(product: Product, *, actor: str) -> bool:
    """Delete a product that nothing names; archive one that stock, orders or bundles know.

    True if it was archived.
    """
    variant = product.first_variant
    sku = variant.sku if variant else ""
    try:
        with transaction.atomic():
            emit(events.PRODUCT_DELETED, product, actor=actor, sku=sku)
            product.variants.all().delete()
            Product.objects.filter(pk=product.pk).delete()
    except (ProtectedError, IntegrityError):
        product.refresh_from_db()
        if product.status != Status.ARCHIVED:
            states.product_archive(product, actor=actor)
        return True
    return False


def _insert(text: str, columns: dict[str, Any]) -> Product:
    """The product's row under the first free slug; a taken one gets a number behind it."""
    base = slugify(text)[:180] or "product"
    taken = Product.objects.filter(slug__startswith=base).count()
    for number in (0, *range(taken + 1, taken + 20)):
        slug = f"{base}-{number}" if number else base
        if Product.objects.filter(slug=slug).exists():
            continue  # only a shortcut; the constraint below decides
        try:
            with transaction.atomic():
                return Product.objects.create(slug=slug, **columns)
        except IntegrityError:
            continue
    raise Invalid(f"No slug is free near {base}; give another one.", field="slug")


def _change_variant(
    product: Product, variant: Variant, wanted: dict[str, Any]
) -> dict[str, list[Any]]:
    """Write the variant's fields; returns old and new of those that differ."""
    different = _different(variant, wanted)
    if not different:
        return {}
    if "sku" in different and product.published_at is not None:
        raise Invalid("The SKU of a product that was on sale cannot change.", field="sku")
    values = {name: pair[1] for name, pair in different.items()}
    try:
        with transaction.atomic():
            Variant.objects.filter(pk=variant.pk).update(
                **values, updated_at=timezone.now(), version=F("version") + 1
            )
    except IntegrityError as error:
        raise _sku_taken(str(wanted.get("sku"))) from error
    return different


def _write(
    product: Product,
    seen_version: int | None,
    columns: dict[str, list[Any]],
    attributes: dict[str, Any],
) -> None:
    rows = Product.objects.filter(pk=product.pk, version=seen_version or product.version)
    values = {name: pair[1] for name, pair in columns.items()}
    changed = rows.update(
        **values, attributes=attributes, updated_at=timezone.now(), version=F("version") + 1
    )
    if not changed:
        raise StaleState(f"{product} was changed by somebody else meanwhile; read it again.")
    product.refresh_from_db()


def _different(row: Any, wanted: dict[str, Any]) -> dict[str, list[Any]]:
    """Old and new of each field that would change; `row` is an object or a dict."""
    read = row.get if isinstance(row, dict) else lambda name: getattr(row, name)
    return {name: [read(name), value] for name, value in wanted.items() if read(name) != value}


def _history(pairs: dict[str, list[Any]], changes: dict[str, Any]) -> dict[str, list[Any]]:
    """What the event says: rows by their id, and of the cost only that it changed."""
    shown = {name: [getattr(value, "pk", value) for value in pair] for name, pair in pairs.items()}
    if "cost" in shown:
        shown["cost"] = []
    if "bundle_items" in changes:
        shown["bundle_items"] = [None, changes["bundle_items"]]
    return shown


def _sku_taken(sku: str) -> SkuTaken:
    return SkuTaken(f"There is a product with the SKU {sku} already.", sku=sku)
