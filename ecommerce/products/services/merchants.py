"""Merchants and sales channels: reference data with a history."""

from typing import Any

from django.db import transaction

from ecommerce.products import events
from ecommerce.products.models import Merchant, SalesChannel
from messaging.events import emit
from platform_site.common.access import requires


@requires("products:edit")
@transaction.atomic
def merchant_create(*, code: str, business_name: str, actor: str, **more: Any) -> Merchant:
    """A further company that sells here."""
    merchant = Merchant.objects.create(code=code, business_name=business_name, **more)
    emit(events.MERCHANT_CREATED, merchant, actor=actor, code=code)
    return merchant


@requires("products:edit")
@transaction.atomic
def channel_create(
    *, code: str, name: str, currency: str, locale: str = "en-GB", actor: str
) -> SalesChannel:
    """A further way in which orders reach us."""
    channel = SalesChannel.objects.create(code=code, name=name, currency=currency, locale=locale)
    emit(events.CHANNEL_CREATED, channel, actor=actor, code=code, currency=currency)
    return channel
