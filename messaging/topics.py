"""Topics and names of events, and who may see which events."""

from functools import cache

from django.apps import apps
from django.db.models import Q

from platform_site.common.access import DOMAINS
from platform_site.common.principals import Principal

SYSTEM_METRICS = "system_metrics"


def _named(entity: str, *verbs: str) -> frozenset[str]:
    return frozenset(f"{entity}.{verb}" for verb in " ".join(verbs).split())


TOPICS: dict[str, frozenset[str]] = {
    "agent_activity": _named(
        "agent",
        "registered deregistered status_changed overlay_changed flapping drained clash",
    ),
    "task_activity": _named(
        "task",
        "submitted ready assigned started waiting resumed retry_scheduled lease_lost released",
        "undelivered completed failed cancel_requested cancelled expired rejected redriven",
        "orphan_result",
    )
    | _named("execution", "started step_changed completed failed cancelled"),
    "conflict_alerts": _named("conflict", "opened resolved dismissed")
    | _named("alert", "raised resolved"),
    SYSTEM_METRICS: frozenset(),
}
# What the servers before us sent to every socket, and still do until its first `subscribe`.
BROADCAST = ("agent_registered", "agent_deregistered", "task_submitted", "conflict_reported")
SPOKEN = {"conflict.opened": "conflict_reported"}  # an event that clients know by another name
SNAPSHOTS = (
    ("agent", "/api/v1/agents"),
    ("order", "/api/orders"),
    ("product", "/api/products"),
    ("stock", "/api/inventory"),
    ("payment", "/api/payments"),
)
SNAPSHOT = "/api/v1/tasks"
ENGINE_APPS = ("messaging", "registry", "tasks")
SECURITY = "security."


def spoken(event_type: str) -> str:
    """The event's name in a frame: `agent_registered` for `agent.registered`."""
    return SPOKEN.get(event_type) or event_type.replace(".", "_")


def covers(name: str, event_type: str) -> bool:
    """Whether a subscription by `name` (topic, event or prefix) takes events of this type."""
    if name in TOPICS:
        return event_type in TOPICS[name]
    if name.endswith("*"):
        return event_type.startswith(name[:-1])
    return name in (event_type, spoken(event_type))


def best_name(names: list[str], event_type: str) -> str | None:
    """The name under which the event is sent: a topic before an event before a prefix."""
    taking = [name for name in names if covers(name, event_type)]
    return min(taking, key=_rank) if taking else None


def of_types(names: list[str]) -> Q:
    """The rows of the log that any of the names takes."""
    wanted: set[str] = set()
    condition = Q()
    for name in names:
        if name in TOPICS:
            wanted |= TOPICS[name]
        elif name.endswith("*"):
            condition |= Q(type__startswith=name[:-1])
        else:
            wanted |= _types_called(name)
    return condition | Q(type__in=sorted(wanted))


def snapshot_url(names: list[str]) -> str:
    """Where a client reads the present state anew after its cursor has expired."""
    first = names[0] if names else ""
    return next((url for word, url in SNAPSHOTS if first.startswith(word)), SNAPSHOT)


class Sight:
    """What a principal may see of the log: the engine, domains by their `view`, security apart."""

    def __init__(self, principal: Principal) -> None:
        self.sees_security = principal.may("security:audit")
        sees_engine = principal.may("event:view")
        self._entities = frozenset(
            entity
            for entity, labels in _apps_of_entities().items()
            if all(
                principal.may(f"{label}:view") if label in DOMAINS else sees_engine
                for label in labels
            )
        )

    def sees(self, event_type: str, entity_type: str) -> bool:
        """Whether an event of this type about such a row may leave for this principal."""
        if event_type.startswith(SECURITY):
            return self.sees_security
        return self.sees_security or entity_type in self._entities

    def rows(self) -> Q:
        """The same as a condition on the log."""
        if self.sees_security:
            return Q()
        return Q(entity_type__in=sorted(self._entities)) & ~Q(type__startswith=SECURITY)


@cache
def _apps_of_entities() -> dict[str, frozenset[str]]:
    """Model name -> the engine apps and domains that have one; other rows are the auditor's."""
    found: dict[str, set[str]] = {}
    for model in apps.get_models():
        label = model._meta.app_label
        if label in DOMAINS or label in ENGINE_APPS:
            found.setdefault(str(model._meta.model_name), set()).add(label)
    return {name: frozenset(labels) for name, labels in found.items()}


def _rank(name: str) -> int:
    if name in TOPICS:
        return 0
    return 2 if name.endswith("*") else 1


def _types_called(name: str) -> set[str]:
    """The types that `name` may mean: as it stands, or with one underscore for the dot."""
    known = {event_type for event_type, word in SPOKEN.items() if word == name}
    cuts = [index for index, letter in enumerate(name) if letter == "_"]
    return known | {name} | {f"{name[:cut]}.{name[cut + 1 :]}" for cut in cuts}
