"""Buying a label in three steps: commit the attempt, call the carrier, commit its answer."""

from django.db import transaction
from django.utils import timezone

from ecommerce.carriers import events
from ecommerce.carriers.models import CarrierService, LabelAttempt, Shipment
from ecommerce.carriers.provider import Label
from ecommerce.carriers.services.rates import Quote
from ecommerce.carriers.services.shipments import facts_of
from messaging.events import emit
from platform_site.common.access import requires

Phase = LabelAttempt.Phase


@requires("carriers:edit")
@transaction.atomic
def shipment_rate(shipment: Shipment, *, quote: Quote, actor: str) -> Shipment:
    """The service that won is chosen. Raises TransitionNotAllowed, StaleState."""
    shipment.become(
        Shipment.Status.RATED,
        service=quote.service,
        cost=quote.amount,
        decision=quote.decision,
        failure="",
    )
    facts = {"service": quote.service.code, "cost": quote.amount, "currency": quote.currency}
    emit(events.SHIPMENT_RATED, shipment, actor=actor, **facts, **facts_of(shipment))
    return shipment


@requires("carriers:edit")
@transaction.atomic
def attempt_open(shipment: Shipment, *, actor: str) -> LabelAttempt:
    """The attempt whose key the carrier gets: the one still without an answer, or a new one."""
    Shipment.objects.select_for_update().get(pk=shipment.pk)
    attempt = shipment.attempts.filter(phase=Phase.REQUESTED).first()
    if attempt is None:
        number = shipment.attempts.count() + 1
        attempt = LabelAttempt.objects.create(
            shipment=shipment,
            service=CarrierService.objects.get(shipments=shipment),
            idempotency_key=f"label:{shipment.pk}:{number}",
        )
    return attempt


@requires("carriers:edit")
@transaction.atomic
def attempt_close(attempt: LabelAttempt, *, error: str, actor: str) -> Shipment:
    """The carrier refused: the service is out, and the shipment waits for the next best one."""
    _answered(attempt, Phase.REFUSED, error)
    shipment = Shipment.objects.get(pk=attempt.shipment_id)
    if shipment.status == Shipment.Status.VOIDED:
        return shipment
    shipment.become(Shipment.Status.PENDING, service=None, cost=None)
    return shipment


@requires("carriers:edit")
@transaction.atomic
def shipment_label(attempt: LabelAttempt, *, label: Label, actor: str) -> Shipment:
    """The label is bought. A shipment that was voided meanwhile stays voided. Raises StaleState."""
    _answered(attempt, Phase.BOUGHT, "")
    shipment = Shipment.objects.get(pk=attempt.shipment_id)
    if shipment.status == Shipment.Status.VOIDED:
        return shipment
    shipment.become(
        Shipment.Status.LABELLED, tracking_number=label.tracking_number, label=label.text
    )
    number = label.tracking_number
    emit(
        events.SHIPMENT_LABELLED,
        shipment,
        actor=actor,
        tracking_number=number,
        **facts_of(shipment),
    )
    return shipment


@requires("carriers:edit")
@transaction.atomic
def shipment_fail(shipment: Shipment, *, reason: str, actor: str) -> Shipment:
    """No service takes the parcel; somebody has to decide. A second time is no error."""
    waiting = Shipment.objects.filter(pk=shipment.pk, status=Shipment.Status.PENDING, failure="")
    if waiting.update(failure=reason[:300], updated_at=timezone.now()):
        shipment.refresh_from_db()
        emit(
            events.SHIPMENT_LABEL_FAILED,
            shipment,
            actor=actor,
            reason=reason,
            **facts_of(shipment),
        )
    return shipment


def _answered(attempt: LabelAttempt, phase: str, error: str) -> None:
    LabelAttempt.objects.filter(pk=attempt.pk).update(
        phase=phase, error=error[:300], updated_at=timezone.now()
    )
