"""The two bases of all rows, and the tables of the ground floor."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from platform_site.common.errors import StaleState, TransitionNotAllowed


class BaseModel(models.Model):
    """A row that knows when it was made and changed, and how often (`version`, for If-Match)."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


class StatefulModel(BaseModel):
    """A row with a `status` that moves only along `TRANSITIONS`, by compare-and-set.

    A subclass declares `Status`, `TRANSITIONS` and the field `status`.
    """

    TRANSITIONS: ClassVar[dict[Any, set[Any]]]

    class Meta:
        abstract = True

    def become(self, status: str, *, where: Q | None = None, **changes: Any) -> Self:
        """Move to `status` and set `changes`, if the row still has the status that was read.

        `where` narrows the guard (a fence, a quantity). Raises TransitionNotAllowed for a move
        outside the table, StaleState if somebody else was first.
        """
        read: str = self.status  # type: ignore[attr-defined]  # declared by the subclass
        if status not in self.TRANSITIONS[read]:
            raise TransitionNotAllowed(
                _not_allowed(self, read, status),
                **{"from": read, "to": str(status), "allowed": sorted(self.TRANSITIONS[read])},
            )
        rows = type(self)._base_manager.filter(where or Q(), pk=self.pk, status=read)
        now = timezone.now()
        changes = {"status": status, "updated_at": now, **changes}
        if not rows.update(version=models.F("version") + 1, **changes):
            raise StaleState(f"{self} was changed by somebody else meanwhile; read it again.")
        for name, value in changes.items():
            setattr(self, name, value)
        self.version += 1
        return self


M = TypeVar("M", bound=StatefulModel)


def become_many(rows: QuerySet[M], status: str, **changes: Any) -> list[M]:
    """The bulk form of `become`: moves those of `rows` whose status allows it, returns these.

    Call it inside a transaction: rows that somebody else holds are skipped on PostgreSQL.
    """
    sources = [old for old, allowed in rows.model.TRANSITIONS.items() if status in allowed]
    locked = list(
        rows.filter(status__in=sources).select_for_update(skip_locked=True).order_by("pk")
    )
    now = timezone.now()
    values = {"status": status, "updated_at": now, **changes}
    rows.model._base_manager.filter(pk__in=[row.pk for row in locked]).update(
        version=models.F("version") + 1, **values
    )
    for row in locked:
        row.version += 1
        for name, value in values.items():
            setattr(row, name, value)
    return locked


def status_known(status: type[models.TextChoices]) -> models.CheckConstraint:
    """The CHECK behind a status column, built from the enumeration that its transitions use."""
    return models.CheckConstraint(
        condition=Q(status__in=status.values), name="%(app_label)s_%(class)s_status_known"
    )


def _not_allowed(row: StatefulModel, read: str, wanted: str) -> str:
    allowed: Iterable[str] = sorted(row.TRANSITIONS[read])
    if not allowed:
        return f"{row} is {read}, which is final."
    return f"{row} is {read}; it can become {', '.join(allowed)}, not {wanted}."


class ApiKey(BaseModel):
    """A secret that a program shows instead of a password; only its SHA-256 is kept."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=8, editable=False)
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(
        "auth.User", null=True, blank=True, on_delete=models.CASCADE, related_name="api_keys"
    )
    agent_id = models.CharField(max_length=200, blank=True, db_index=True)
    role = models.CharField(max_length=20, blank=True)
    scopes = models.JSONField(default=list, blank=True)
    agent_pattern = models.CharField(max_length=200, blank=True)
    made_by = models.CharField(max_length=200, blank=True)
    from_environment = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"Key {self.prefix}… ({self.name})"


class IdempotencyKey(models.Model):
    """The first answer to a request that carried an `Idempotency-Key`, kept for 24 hours."""

    principal = models.CharField(max_length=255)
    route = models.CharField(max_length=255)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    answer_status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)  # as it was sent
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("principal", "route", "key"), name="common_idempotencykey_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
