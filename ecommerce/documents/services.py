"""Issuing papers: a number without gaps, a snapshot for ever, a file from the snapshot."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from ecommerce.documents import events
from ecommerce.documents.models import Document, NumberSeries
from ecommerce.documents.snapshots import credited
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid
from tasks.services import job_enqueue

Kind = Document.Kind
SERIES: dict[str, str] = {Kind.INVOICE: "INV", Kind.CREDIT_NOTE: "CN"}


@requires("documents:edit")
@transaction.atomic
def document_issue(
    *,
    kind: str,
    subject: str,
    order_number: str,
    snapshot: dict[str, Any],
    refers: Document | None = None,
    actor: str,
) -> Document:
    """Issue the one paper of its kind about `subject`; issued before, that paper.

    The counter of its series is locked until the caller's transaction ends, so call this last. The
    snapshot has the shape of `documents.snapshots.Snapshot`. Emits document.issued.
    """
    if kind not in SERIES:
        raise Invalid(f"A document is one of {', '.join(SERIES)}.", field="kind")
    same = Document.objects.filter(kind=kind, subject=subject)
    if (known := same.first()) is not None:
        return known
    now = timezone.now()
    try:
        # Number and paper in one savepoint: where the paper fails, its number was never taken.
        with transaction.atomic():
            document = Document.objects.create(
                kind=kind,
                number=_next_number(SERIES[kind], now),
                subject=subject,
                order_number=order_number,
                snapshot=snapshot,
                issued_at=now,
                refers=refers,
            )
    except IntegrityError:
        return same.get()
    job_enqueue(
        "system.render",
        {"document_id": document.pk},
        title=f"Render {document.number}",
        key=f"documents.render:{document.pk}",
        actor=actor,
    )
    emit(events.DOCUMENT_ISSUED, document, actor=actor, **_facts(document))
    return document


@requires("documents:edit")
@transaction.atomic
def document_credit(
    document: Document, *, snapshot: dict[str, Any] | None = None, actor: str
) -> Document:
    """Take an invoice back by a credit note, which is returned; credited before, that note.

    Raises Invalid for what is no invoice, StaleState.
    """
    if document.kind != Kind.INVOICE:
        raise Invalid(f"{document} is no invoice.", field="kind")
    note = Document.objects.filter(kind=Kind.CREDIT_NOTE, refers=document).first()
    if note is not None:
        return note
    document.become(Document.Status.CREDITED)
    note = document_issue(
        kind=Kind.CREDIT_NOTE,
        subject=document.subject,
        order_number=document.order_number,
        snapshot=snapshot or credited(document.snapshot),
        refers=document,
        actor=actor,
    )
    facts = {**_facts(document), "credit_note": note.number}
    emit(events.DOCUMENT_CREDITED, document, actor=actor, **facts)
    return note


@requires("documents:edit")
@transaction.atomic
def document_rendered(document: Document, *, path: str, sha256: str, actor: str) -> Document:
    """The file of a paper is there. A second time with the same file is no error.

    Raises Invalid if the bytes differ from those of the first time.
    """
    now = timezone.now()
    first = Document.objects.filter(Q(sha256="") | Q(sha256=sha256), pk=document.pk)
    is_new = document.sha256 == ""
    if not first.update(path=path, sha256=sha256, updated_at=now):
        raise Invalid(f"{document} came out different from its first rendering.", field="sha256")
    document.refresh_from_db()
    if document.status == Document.Status.ISSUED:
        document.become(Document.Status.RENDERED)
    if is_new:
        emit(events.DOCUMENT_RENDERED, document, actor=actor, **_facts(document), sha256=sha256)
    return document


@transaction.atomic
def series_ensure(*, key: str, number_format: str, padding: int = 6, actor: str) -> NumberSeries:
    """The counter of that key; one that exists keeps its numbers and its format."""
    series, _ = NumberSeries.objects.get_or_create(
        key=key, defaults={"format": number_format, "padding": padding}
    )
    return series


def _next_number(key: str, now: datetime) -> str:
    """The next number of a series, by a lock on its row that ends with the transaction."""
    series = NumberSeries.objects.select_for_update().get(key=key)
    year = max(now.year, series.year)  # a clock that runs behind never reopens a year
    number = 1 if year > series.year else series.next_number
    NumberSeries.objects.filter(pk=series.pk).update(
        year=year, next_number=number + 1, updated_at=now
    )
    return f"{series.format.format(yyyy=year)}{number:0{series.padding}d}"


def _facts(document: Document) -> dict[str, str]:
    return {
        "kind": document.kind,
        "number": document.number,
        "subject": document.subject,
        "order_number": document.order_number,
    }
