"""The methods that customers may choose."""

from decimal import Decimal

from django.db import transaction

from ecommerce.payments.models import PaymentMethod


@transaction.atomic
def method_ensure(
    *, code: str, name: str, refund_limit: Decimal | None, position: int, actor: str
) -> PaymentMethod:
    """The method of that code, made if it is missing; an existing one stays as people set it."""
    method, _ = PaymentMethod.objects.get_or_create(
        code=code, defaults={"name": name, "refund_limit": refund_limit, "position": position}
    )
    return method
