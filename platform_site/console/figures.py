"""The figures of the control room: each is a query over rows, with a link to these rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Min, Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from ecommerce.agents import AGENTS, AgentSpec
from ecommerce.fraud.models import FraudCase
from ecommerce.inventory.figures import IS_LOW
from ecommerce.inventory.models import StockLevel
from ecommerce.orders.figures import GONE, came_today
from ecommerce.orders.models import Order, OrderHold
from platform_site.common import json
from platform_site.common.admin.callers import may
from platform_site.common.admin.columns import duration
from platform_site.common.admin.looks import FAILED, WAITING, look_of
from platform_site.common.money import ZERO
from registry.models import Agent
from registry.status import with_status
from tasks.models import Attempt, Task

NOT_BUILT, NOT_THERE = "not built yet", "not registered"


@dataclass(frozen=True)
class Tile:
    """One figure: its value, a line below it, and the list that holds the same rows."""

    key: str
    label: str
    value: str
    note: str
    url: str
    is_alarm: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"value": self.value, "note": self.note, "url": self.url, "alarm": self.is_alarm}


def tiles(request: HttpRequest) -> list[Tile]:
    """The tiles that this person may see."""
    now = timezone.now()
    groups: list[tuple[str, Callable[[datetime], list[Tile]]]] = [
        ("orders:view", _order_tiles),
        ("task:view", _task_tiles),
        ("fraud:view", _risk_tiles),
        ("inventory:view", _stock_tiles),
    ]
    return [tile for word, make in groups if may(request, word) for tile in make(now)]


def _order_tiles(now: datetime) -> list[Tile]:
    today = Order.objects.filter(came_today()).order_by().values("currency")
    sums = list(today.annotate(count=Count("pk"), sold=Sum("total", filter=~Q(status__in=GONE))))
    count = sum(row["count"] for row in sums)
    amounts = [f"{row['sold'] or ZERO:,.2f} {row['currency']}" for row in sums]
    active = OrderHold.objects.filter(released_at=None)
    holds = active.aggregate(orders=Count("order", distinct=True), oldest=Min("created_at"))
    held, since = holds["orders"], holds["oldest"]
    return [
        Tile(
            "orders",
            "Orders today",
            f"{count:,}",
            ", ".join(amounts) or "none came yet",
            _list("orders_order", came="today"),
        ),
        Tile(
            "held",
            "Orders held",
            f"{held:,}",
            f"the oldest for {duration((now - since).total_seconds())}" if since else "none waits",
            _list("orders_order", held="yes"),
            is_alarm=held > 0,
        ),
    ]


def _risk_tiles(now: datetime) -> list[Tile]:
    waiting = FraudCase.objects.filter(status__in=FraudCase.UNDECIDED)
    counts = waiting.aggregate(all=Count("pk"), late=Count("pk", filter=Q(due_at__lt=now)))
    return [
        Tile(
            "fraud",
            "Fraud cases",
            f"{counts['all']:,}",
            f"{counts['late']:,} of them overdue",
            _list("fraud_fraudcase", decided="no"),
            is_alarm=counts["late"] > 0,
        )
    ]


def _stock_tiles(now: datetime) -> list[Tile]:
    low = StockLevel.objects.filter(IS_LOW).count()
    return [
        Tile(
            "stock",
            "Low stock",
            f"{low:,}",
            "at or below their reorder point",
            _list("inventory_stocklevel", stock="low"),
            is_alarm=low > 0,
        )
    ]


def _task_tiles(now: datetime) -> list[Tile]:
    counts = Task.objects.filter(status__in=Task.OPEN).aggregate(
        waiting=Count("pk", filter=Q(status__in=Task.QUEUED)),
        working=Count("pk", filter=Q(status__in=Task.LEASED)),
        retrying=Count("pk", filter=Q(status=Task.Status.RETRYING)),
        oldest=Min("ready_at", filter=Q(status=Task.Status.PENDING)),
    )
    dead = Task.objects.filter(dead_lettered_at__isnull=False).count()
    ended = Attempt.objects.filter(ended_at__gte=now - timedelta(minutes=1)).aggregate(
        done=Count("pk", filter=Q(outcome=Attempt.Outcome.COMPLETED)),
        failed=Count("pk", filter=Q(outcome__in=(Attempt.Outcome.FAILED, Attempt.Outcome.LOST))),
    )
    age = (now - counts["oldest"]).total_seconds() if counts["oldest"] else None
    return [
        Tile(
            "queue",
            "Tasks waiting",
            f"{counts['waiting']:,}",
            f"{counts['retrying']:,} of them retry",
            _list("tasks_task", queue="waiting"),
        ),
        Tile(
            "oldest",
            "Oldest ready task",
            "none" if age is None else duration(age),
            "nothing waits for an agent" if age is None else "since it could start",
            _list("tasks_task", status__exact="pending", o="5"),
            is_alarm=age is not None and age > 300,
        ),
        Tile(
            "running",
            "Tasks running",
            f"{counts['working']:,}",
            f"{ended['done']:,} done in the last minute",
            _list("tasks_task", queue="leased"),
        ),
        Tile(
            "dead",
            "Dead letters",
            f"{dead:,}",
            f"{ended['failed']:,} attempts failed in the last minute",
            _list("tasks_task", queue="dead"),
            is_alarm=dead > 0,
        ),
    ]


def agents() -> list[dict[str, Any]]:
    """The 27 cells of the grid, in the order of the table."""
    ids = [spec.agent_id for spec in AGENTS]
    found = {row.agent_id: row for row in _rows(ids)}
    queued = dict(
        Task.objects.filter(status__in=Task.QUEUED, agent_id__in=ids)
        .order_by()
        .values_list("agent_id")
        .annotate(Count("pk"))
    )
    return [_cell(spec, found.get(spec.agent_id), queued.get(spec.agent_id, 0)) for spec in AGENTS]


def _rows(ids: list[str]) -> Any:
    registered = Agent.objects.filter(agent_id__in=ids, deregistered_at=None)
    return with_status(registered).annotate(seen_at=F("presence__last_seen_at"))


def _cell(spec: AgentSpec, agent: Any, queued: int) -> dict[str, Any]:
    state, look, seen, url = NOT_THERE, FAILED, None, ""
    load = ""
    if agent is not None:
        state = agent.overlay_now or agent.computed_status
        look, seen = look_of(state), agent.seen_at
        load = f"{agent.in_flight}/{agent.max_concurrency}"
        url = reverse("admin:registry_agent_change", args=(agent.pk,))
    if not spec.is_implemented:
        state, look, load = NOT_BUILT, WAITING, ""
    return {
        "id": spec.slug,
        "name": spec.name,
        "category": spec.category,
        "port": spec.port,
        "state": state,
        "look": look,
        "load": load,
        "queued": queued,
        "seen": json.instant(seen),
        "url": url,
    }


def _list(page: str, **query: str) -> str:
    address = reverse(f"admin:{page}_changelist")
    return f"{address}?{urlencode(query)}" if query else address
