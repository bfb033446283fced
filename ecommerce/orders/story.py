"""Everything that belongs to one order, across the domains below, and what happened to it."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Q

from ecommerce.carriers.models import Shipment
from ecommerce.communications.models import OutboundMessage
from ecommerce.documents.models import Document
from ecommerce.fraud.models import FraudCase, RiskAssessment
from ecommerce.orders.models import Order
from ecommerce.payments.models import Payment
from ecommerce.warehouses.models import PickRequest
from messaging.events import entity_of
from messaging.history import entries
from messaging.models import Event
from platform_site.common.admin import Entry
from platform_site.common.admin.columns import change_url
from platform_site.common.admin.looks import look_of
from tasks.models import Task

LONGEST = 150
BY_NUMBER: tuple[type[models.Model], ...] = (
    RiskAssessment,
    FraudCase,
    Payment,
    PickRequest,
    Shipment,
    Document,
    OutboundMessage,
)


def related_rows(order: Order) -> list[Any]:
    """Payments, parcels, picks, papers, messages, risk: whatever carries the order's number."""
    rows: list[Any] = list(order.fulfillments.select_related("order"))
    for model in BY_NUMBER:
        found = model._default_manager.filter(order_number=order.order_number)
        rows += found.select_related("template") if model is OutboundMessage else found
    return sorted(rows, key=lambda row: row.created_at)


def story_of(order: Order, related: Iterable[models.Model]) -> list[Entry]:
    """The events about the order and its rows, and the tasks that followed from them."""
    condition = Q()
    for row in (order, *related):
        entity_type, entity_id = entity_of(row)
        condition |= Q(entity_type=entity_type, entity_id=entity_id)
    events = list(Event.objects.filter(condition).order_by("-pk")[:LONGEST])
    causes = [f"event:{event.pk}" for event in events]
    tasks = Task.objects.filter(causation_id__in=causes).order_by("-created_at")[:LONGEST]
    return [*entries(events), *(_entry(task) for task in tasks)]


def _entry(task: Task) -> Entry:
    tries = f", {task.attempts} tries" if task.attempts > 1 else ""
    return Entry(
        at=task.closed_at or task.created_at,
        icon="task_alt",
        title=task.task_type or task.title,
        actor=task.assigned_agent or task.agent_id,
        note=f"task {task.status}{tries}",
        url=change_url(task),
        look=look_of(task.status),
    )
