"""Every write to customers, their addresses and the ledger of what they bought."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from ecommerce.customers import events
from ecommerce.customers.models import Address, Customer, Purchase
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, Refusal

CHANGEABLE = ("first_name", "last_name", "phone", "notes", "tags", "customer_group", "locale")


class CustomerKnown(Refusal):
    """There is a customer with this mail address or outside number already."""

    code = "customer_known"


@requires("customers:edit")
@transaction.atomic
def customer_create(
    *,
    email: str = "",
    first_name: str = "",
    last_name: str = "",
    phone: str = "",
    external_ref: str = "",
    actor: str,
    **more: Any,
) -> Customer:
    """A new customer; without a mail address it gets no messages. Raises CustomerKnown."""
    email = email.strip()
    try:
        with transaction.atomic():
            customer = Customer.objects.create(
                email=email,
                first_name=first_name,
                last_name=last_name,
                phone=phone,
                external_ref=external_ref,
                **{name: value for name, value in more.items() if name in CHANGEABLE},
            )
    except IntegrityError as error:
        raise _known(email, external_ref) from error
    emit(events.CUSTOMER_CREATED, customer, actor=actor)
    return customer


@requires("customers:edit")
@transaction.atomic
def customer_change(customer: Customer, *, actor: str, **changes: Any) -> Customer:
    """Change names, phone, notes, tags, group or language."""
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise Invalid(f"{', '.join(sorted(unknown))} cannot be changed.", field=min(unknown))
    changed = [name for name, value in changes.items() if getattr(customer, name) != value]
    if changed:
        values = {name: changes[name] for name in changed}
        Customer.objects.filter(pk=customer.pk).update(
            **values, version=F("version") + 1, updated_at=timezone.now()
        )
        customer.refresh_from_db()
        emit(events.CUSTOMER_CHANGED, customer, actor=actor, fields=sorted(changed))
    return customer


@requires("customers:edit")
@transaction.atomic
def customer_block(customer: Customer, *, reason: str = "", actor: str) -> Customer:
    """The customer may place no more orders. Raises TransitionNotAllowed, StaleState."""
    customer.become(Customer.Status.BLOCKED)
    emit(events.CUSTOMER_BLOCKED, customer, actor=actor, reason=reason)
    return customer


@requires("customers:edit")
@transaction.atomic
def customer_unblock(customer: Customer, *, actor: str) -> Customer:
    """The customer may place orders again. Raises TransitionNotAllowed, StaleState."""
    customer.become(Customer.Status.ACTIVE)
    emit(events.CUSTOMER_UNBLOCKED, customer, actor=actor)
    return customer


@requires("customers:edit")
@transaction.atomic
def address_add(
    customer: Customer,
    *,
    kind: str = Address.Kind.BOTH,
    is_default: bool = False,
    country: str,
    first_name: str = "",
    last_name: str = "",
    company: str = "",
    line1: str = "",
    line2: str = "",
    city: str = "",
    state: str = "",
    postal_code: str = "",
    phone: str = "",
    actor: str,
) -> Address:
    """A further address; as default it takes the place of the present one of its kind."""
    # The customer's row is locked first: two new defaults come one after the other.
    Customer.objects.select_for_update().get(pk=customer.pk)
    if is_default:
        customer.addresses.filter(kind=kind, is_default=True).update(
            is_default=False, updated_at=timezone.now()
        )
    address = Address.objects.create(
        customer=customer,
        kind=kind,
        is_default=is_default,
        country=country.strip(),
        first_name=first_name,
        last_name=last_name,
        company=company,
        line1=line1,
        line2=line2,
        city=city,
        state=state,
        postal_code=postal_code,
        phone=phone,
    )
    emit(events.ADDRESS_ADDED, address, actor=actor, customer_id=customer.pk, kind=kind)
    return address


@requires("customers:edit")
@transaction.atomic
def purchase_record(
    customer: Customer,
    *,
    order_number: str,
    amount: Decimal,
    currency: str,
    at: datetime,
    actor: str,
) -> Purchase:
    """Write a delivered order into the customer's ledger, once for each order number.

    The customer's totals count the currency of the first purchase; others stand in the ledger only.
    """
    purchase, is_new = Purchase.objects.get_or_create(
        order_number=order_number,
        defaults={"customer": customer, "amount": amount, "currency": currency, "at": at},
    )
    if not is_new:
        return purchase
    now = timezone.now()
    row = Customer.objects.filter(pk=customer.pk)
    row.filter(currency="").update(currency=currency)
    row.update(total_orders=F("total_orders") + 1, version=F("version") + 1, updated_at=now)
    row.filter(Q(last_order_at=None) | Q(last_order_at__lt=at)).update(last_order_at=at)
    row.filter(currency=currency).update(total_spent=F("total_spent") + amount)
    facts = {"order_number": order_number, "amount": amount, "currency": currency}
    emit(events.CUSTOMER_PURCHASED, customer, actor=actor, **facts)
    return purchase


def _known(email: str, external_ref: str) -> CustomerKnown:
    twin = Customer.objects.filter(
        Q(email__iexact=email, email__gt="") | Q(external_ref=external_ref, external_ref__gt="")
    ).first()
    number = twin.pk if twin else None
    return CustomerKnown(
        f"Customer {number} has this mail address or outside number already.", customer_id=number
    )
