"""Agents, their signs of life, and the words by which they are found."""

from django.db import models
from django.db.models import Q

from platform_site.common.models import BaseModel


class Agent(BaseModel):
    """A program that takes work: what it can do, how much at once, and what operators decided.

    Its status is no column: it follows from time and facts (`registry.status`).
    """

    class Delivery(models.TextChoices):
        PULL = "pull"
        PUSH = "push"
        AUTO = "auto"

    class Overlay(models.TextChoices):
        NONE = ""
        DRAINING = "draining"  # finishes what it has, gets nothing new
        CORDONED = "cordoned"  # gets nothing new
        DISABLED = "disabled"  # loses what it has
        MAINTENANCE = "maintenance"  # until a time, then over by itself

    agent_id = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200)
    agent_type = models.CharField(max_length=20, default="general")
    capabilities = models.JSONField(default=list, blank=True)
    services = models.JSONField(default=list, blank=True)
    tags = models.JSONField(default=list, blank=True)
    endpoints = models.JSONField(default=dict, blank=True)
    resources = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    chain_id = models.CharField(max_length=200, blank=True)
    island_id = models.CharField(max_length=200, blank=True)

    max_concurrency = models.PositiveIntegerField(default=10)
    weight = models.FloatField(default=1.0)
    ttl_s = models.PositiveIntegerField(default=60)
    delivery = models.CharField(max_length=10, choices=Delivery, default=Delivery.AUTO)
    accept_any = models.BooleanField(default=True)  # takes tasks that ask for no capability

    overlay = models.CharField(max_length=12, choices=Overlay, default=Overlay.NONE, blank=True)
    overlay_until = models.DateTimeField(null=True, blank=True)
    overlay_reason = models.CharField(max_length=500, blank=True)
    overlay_set_by = models.CharField(max_length=220, blank=True)
    overlay_set_at = models.DateTimeField(null=True, blank=True)
    drained_at = models.DateTimeField(null=True, blank=True)

    incarnation = models.PositiveIntegerField(default=1)
    instance_id = models.CharField(max_length=200, blank=True)
    observed_status = models.CharField(max_length=12, default="active", editable=False)
    registered_at = models.DateTimeField(auto_now_add=True)
    deregistered_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(max_concurrency__gte=1), name="registry_agent_max_concurrency_gte_1"
            ),
            models.CheckConstraint(
                condition=Q(ttl_s__gte=5, ttl_s__lte=3600), name="registry_agent_ttl_s_5_to_3600"
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=0.01, weight__lte=100),
                name="registry_agent_weight_0_01_to_100",
            ),
            models.CheckConstraint(
                condition=Q(overlay__in=["", "draining", "cordoned", "disabled", "maintenance"]),
                name="registry_agent_overlay_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(deregistered_at=None), name="registry_agent_registered"
            ),
            models.Index(fields=["agent_type"], name="registry_agent_type"),
        ]

    def __str__(self) -> str:
        return f"Agent {self.agent_id}"

    @property
    def entity_id(self) -> str:
        """The address of the agent in the event log."""
        return self.agent_id

    @property
    def release(self) -> str:
        """What the agent says about its own version."""
        return str(self.metadata.get("version", "1.0.0"))


class Presence(models.Model):
    """When an agent was last heard, and what it said of itself.

    A row of its own, so that heartbeats never queue behind the agent's lock that a claim holds.
    """

    agent = models.OneToOneField(
        Agent, primary_key=True, on_delete=models.CASCADE, related_name="presence"
    )
    last_seen_at = models.DateTimeField(null=True, blank=True)
    polling_until = models.DateTimeField(null=True, blank=True)  # it claims work, or did just now
    reported_status = models.CharField(max_length=12, default="active")
    load_metrics = models.JSONField(default=dict, blank=True)
    # Measured over its latest attempts by the tick `watch`; null before the first one.
    success = models.FloatField(null=True, editable=False)
    latency = models.FloatField(null=True, editable=False)
    average_s = models.FloatField(null=True, editable=False)

    def __str__(self) -> str:
        return f"Presence of agent {self.agent_id}"


class AgentTrait(models.Model):
    """One word by which an agent is found: a capability, a service or a tag, as an indexed row."""

    class Kind(models.TextChoices):
        CAPABILITY = "capability"
        SERVICE = "service"
        TAG = "tag"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="traits")
    kind = models.CharField(max_length=10, choices=Kind)
    word = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("kind", "word", "agent"), name="registry_agenttrait_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.word}"
