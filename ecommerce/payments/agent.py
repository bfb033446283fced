"""The payment agent: asks the provider, outside of any transaction, and keeps the answer.

Three steps, each safe to repeat: the request is committed with its key, the provider is called with
it, the answer is committed. A lost answer is asked for again with the same key.
"""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from ecommerce.payments import events, services
from ecommerce.payments.models import OUTCOMES, Kind, Payment, PaymentEvent, Phase
from ecommerce.payments.provider import PROVIDERS, Call, NoAnswer
from ecommerce.payments.refusals import ProviderSilent
from tasks.handlers import Later, handles

ASK_AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))


@handles(on=events.PAYMENT_REQUESTED)
def authorize(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """The customer's bank is asked to set the money aside."""
    return _carry_out(event, actor)


@handles(on=events.PAYMENT_CANCEL_REQUESTED)
def call_off(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """The authorisation is called off; if it was granted meanwhile, it is voided."""
    return _carry_out(event, actor)


@handles(on=events.PAYMENT_CAPTURE_REQUESTED)
def capture(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Authorised money is taken."""
    return _carry_out(event, actor)


@handles(on=events.PAYMENT_VOID_REQUESTED)
def void(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Authorised money is let go."""
    return _carry_out(event, actor)


@handles(on=events.REFUND_APPROVED)
def refund(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Captured money goes back."""
    return _carry_out(event, actor)


def _carry_out(event: dict[str, Any], actor: str) -> dict[str, Any]:
    told = event["data"]
    request = PaymentEvent.objects.select_related("payment").get(
        payment_id=told["payment_id"], idempotency_key=told["key"], phase=Phase.REQUEST
    )
    payment = request.payment
    if payment.events.filter(idempotency_key=told["key"], phase__in=OUTCOMES).exists():
        return {"payment_id": payment.pk, "skipped": f"the {request.kind} was answered already"}
    try:
        answer = _ask(payment, request)
    except NoAnswer as error:
        payment = services.request_unknown(request, actor=actor)
        raise _later(request, payment) from error
    payment = services.request_answered(request, answer=answer, actor=actor)
    result = {"payment_id": payment.pk, "status": payment.status}
    return result if answer.accepted else {**result, "refused": answer.error}


def _ask(payment: Payment, request: PaymentEvent) -> Any:
    provider = PROVIDERS[payment.provider]
    call = Call(
        key=request.provider_key,
        kind=request.kind,
        amount=request.amount,
        currency=payment.currency,
        reference=f"payment {payment.pk}",
        simulate=payment.simulate,
    )
    if request.kind == Kind.AUTHORIZE and payment.unwound_at is not None:
        return provider.call_off(call)
    return provider.perform(call)


def _later(request: PaymentEvent, payment: Payment) -> Exception:
    """Ask again 1, 5 and 30 minutes after the answer was lost; then a person has to look."""
    lost = payment.events.get(idempotency_key=request.idempotency_key, phase=Phase.UNKNOWN)
    age = timezone.now() - lost.created_at
    for moment in ASK_AGAIN:
        if age < moment:
            return Later((moment - age).total_seconds(), f"The provider is silent about {payment}.")
    return ProviderSilent(
        f"The provider has not answered about the {request.kind} of {payment} for "
        f"{int(age.total_seconds() // 60)} minutes; ask it and redrive this task."
    )
