"""On sale, off sale, archived: the moves of a product and what it needs for them."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ecommerce.products import events
from ecommerce.products.models import Product
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Refusal, TransitionNotAllowed

Status = Product.Status


class Incomplete(Refusal):
    """The product lacks something that it needs to be sold."""

    code = "incomplete"


@requires("products:edit")
@transaction.atomic
def product_publish(product: Product, *, actor: str) -> Product:
    """Put the product on sale. Raises Incomplete, TransitionNotAllowed, StaleState."""
    needed = [name for name in missing(product) if name != "weight"]
    if needed:
        raise Incomplete(
            f"{product} cannot be sold yet: {', '.join(needed)} missing.", missing=needed
        )
    published_at = product.published_at or timezone.now()
    product.become(Status.ACTIVE, published_at=published_at, publish_at=None)
    emit(events.PRODUCT_PUBLISHED, product, actor=actor, sku=_sku(product))
    return product


@transaction.atomic
def product_postpone(product: Product, *, reason: str, actor: str) -> Product:
    """The product was due and could not be published: its date goes, and the event says why."""
    due = Product.objects.filter(pk=product.pk, status=Status.DRAFT, publish_at__isnull=False)
    if due.update(publish_at=None, updated_at=timezone.now(), version=F("version") + 1):
        product.refresh_from_db()
        emit(events.PRODUCT_POSTPONED, product, actor=actor, reason=reason)
    return product


@requires("products:edit")
@transaction.atomic
def product_deactivate(product: Product, *, actor: str) -> Product:
    """Take the product off sale for a while. Raises TransitionNotAllowed, StaleState."""
    product.become(Status.INACTIVE)
    emit(events.PRODUCT_DEACTIVATED, product, actor=actor, sku=_sku(product))
    return product


@requires("products:edit")
@transaction.atomic
def product_archive(product: Product, *, actor: str) -> Product:
    """Put the product away; what names it keeps it. Raises TransitionNotAllowed, StaleState."""
    product.become(Status.ARCHIVED)
    emit(events.PRODUCT_ARCHIVED, product, actor=actor, sku=_sku(product))
    return product


@requires("products:edit")
@transaction.atomic
def product_restore(product: Product, *, actor: str) -> Product:
    """An archived product is a draft again. Raises TransitionNotAllowed, StaleState."""
    product.become(Status.DRAFT)
    emit(events.PRODUCT_RESTORED, product, actor=actor, sku=_sku(product))
    return product


@requires("products:edit")
@transaction.atomic
def product_status_set(product: Product, *, status: str, actor: str) -> Product:
    """Go to a status by the move that leads there; already there, nothing happens.

    Raises TransitionNotAllowed, Incomplete, StaleState.
    """
    if status == product.status:
        return product
    moves = {
        Status.ACTIVE: product_publish,
        Status.INACTIVE: product_deactivate,
        Status.ARCHIVED: product_archive,
        Status.DRAFT: product_restore,
    }
    if status not in moves:
        words = ", ".join(Status.values)
        raise TransitionNotAllowed(f"{status} is no status of a product; it is one of {words}.")
    return moves[Status(status)](product, actor=actor)


def missing(product: Product) -> list[str]:
    """What the product still lacks, by field; a missing weight only lowers its completeness."""
    variant = product.first_variant
    has = {
        "name": bool(product.name),
        "sku": variant is not None,
        "price": variant is not None and variant.price > 0,
        "tax_class": bool(product.tax_class),
        "weight": not product.requires_shipping or (variant is not None and bool(variant.weight_g)),
    }
    return [name for name, is_there in has.items() if not is_there]


def completeness(product: Product) -> int:
    """How much of what a product needs is there, in per cent."""
    return 100 - 20 * len(missing(product))


def _sku(product: Product) -> str:
    variant = product.first_variant
    return variant.sku if variant else ""
