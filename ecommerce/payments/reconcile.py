"""Whether the money adds up: totals against the ledger, the ledger against the provider."""

from collections import defaultdict
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from ecommerce.payments.models import GatewayCall, Kind, Payment, PaymentEvent, Phase, Refund
from platform_site.common.money import ZERO, rounded

_TOTALS = {
    "authorized": (Kind.AUTHORIZE, False),
    "captured": (Kind.CAPTURE, False),
    "capture_pending": (Kind.CAPTURE, True),
    "voided": (Kind.VOID, False),
    "void_pending": (Kind.VOID, True),
    "refunded": (Kind.REFUND, False),
}


def differences() -> list[str]:
    """One sentence for each amount that is not what its ledger says; empty when all is right."""
    return [*_totals(), *_provider()]


def _totals() -> list[str]:
    done = _sums(PaymentEvent.objects.filter(phase=Phase.SUCCESS))
    waiting = _sums(PaymentEvent.objects.unanswered())
    promised = dict(
        Refund.objects.filter(status__in=(Refund.Status.REQUESTED, Refund.Status.APPROVED))
        .order_by()
        .values_list("payment")
        .annotate(Sum("amount"))
    )
    found = []
    for payment in Payment.objects.order_by("pk").iterator():
        expected = {
            name: (waiting if is_pending else done)[payment.pk].get(kind, ZERO)
            for name, (kind, is_pending) in _TOTALS.items()
        }
        expected["refund_pending"] = promised.get(payment.pk, ZERO)
        found += [
            f"{payment}: {name} is {getattr(payment, name)}, its ledger says {amount}."
            for name, amount in expected.items()
            if getattr(payment, name) != amount
        ]
    return found


def _sums(rows: QuerySet[PaymentEvent]) -> dict[int, dict[str, Decimal]]:
    sums: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for payment_id, kind, amount in (
        rows.order_by().values_list("payment", "kind").annotate(Sum("amount"))
    ):
        sums[payment_id][kind] = rounded(amount)
    return sums


def _provider() -> list[str]:
    """Every call that the simulator performed is a success in the ledger, and vice versa."""
    performed = dict(GatewayCall.objects.filter(answer__accepted=True).values_list("key", "amount"))
    unanswered = {row.provider_key for row in PaymentEvent.objects.unanswered()}
    booked = {
        row.provider_key: row.amount
        for row in PaymentEvent.objects.filter(
            Q(phase=Phase.SUCCESS), payment__provider="simulator"
        )
    }
    found = [
        f"The provider has performed {key} over {amount}, which the ledger does not know."
        for key, amount in performed.items()
        if key not in booked and key not in unanswered
    ]
    found += [
        f"The ledger says {amount} for {key}, the provider {performed.get(key)}."
        for key, amount in booked.items()
        if performed.get(key) != amount
    ]
    return found
