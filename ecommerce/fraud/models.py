"""Fraud as rows: rules, what they said about a subject, and the cases that people decide."""

from django.db import models
from django.db.models import Q

from platform_site.common.models import BaseModel, StatefulModel, status_known


class Action(models.TextChoices):
    SCORE = "score"  # adds its weight
    REVIEW = "review"  # a person looks, whatever the score
    BLOCK = "block"  # refused without a person
    ALLOW = "allow"  # trusted: wins over everything else


class FraudRule(BaseModel):
    """A predicate over the facts of an order, and what follows when it is true."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    predicate = models.JSONField()
    weight = models.PositiveSmallIntegerField(default=0)
    action = models.CharField(max_length=10, choices=Action, default=Action.SCORE)
    enabled = models.BooleanField(default=True)
    shadow = models.BooleanField(default=False)  # recorded, but decides nothing

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(weight__lte=100), name="fraud_fraudrule_weight_lte_100"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Level(models.TextChoices):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Recommendation(models.TextChoices):
    APPROVE = "approve"
    REVIEW = "review"
    REJECT = "reject"  # by score: a person decides
    BLOCK = "block"  # by a blocking rule: no person is needed


class AssessmentStatus(models.TextChoices):
    PENDING = "pending"
    DECIDED = "decided"
    OVERRIDDEN = "overridden"  # a person decided otherwise


class RiskAssessment(StatefulModel):
    """How risky one subject was found, once, with the facts and rules of that moment."""

    Status = AssessmentStatus
    TRANSITIONS = {
        Status.PENDING: {Status.DECIDED},
        Status.DECIDED: {Status.OVERRIDDEN},
        Status.OVERRIDDEN: set(),
    }

    subject = models.CharField(max_length=120, unique=True)  # such as orders.order:7
    order_number = models.CharField(max_length=40, db_index=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    facts = models.JSONField(default=dict)
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    level = models.CharField(max_length=10, choices=Level, blank=True)
    recommendation = models.CharField(max_length=10, choices=Recommendation, blank=True)
    fired = models.JSONField(default=list)  # [{code, name, version, weight, action, shadow}]
    rule_versions = models.JSONField(default=dict)  # every rule that was asked: {code: version}
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=220, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            status_known(AssessmentStatus),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__lte=100),
                name="fraud_riskassessment_score_lte_100",
            ),
        ]

    def __str__(self) -> str:
        return f"Assessment of {self.order_number}"


class CaseStatus(models.TextChoices):
    OPEN = "open"
    CLAIMED = "claimed"
    APPROVED = "approved"
    REJECTED = "rejected"


class FraudCase(StatefulModel):
    """An order that a person has to look at before it may go on."""

    Status = CaseStatus
    TRANSITIONS = {
        Status.OPEN: {Status.CLAIMED, Status.APPROVED, Status.REJECTED},
        Status.CLAIMED: {Status.OPEN, Status.APPROVED, Status.REJECTED},
        Status.APPROVED: set(),
        Status.REJECTED: set(),
    }
    UNDECIDED = (Status.OPEN, Status.CLAIMED)

    subject = models.CharField(max_length=120, db_index=True)
    order_number = models.CharField(max_length=40, db_index=True)
    assessment = models.ForeignKey(
        RiskAssessment, null=True, blank=True, on_delete=models.PROTECT, related_name="cases"
    )
    status = models.CharField(max_length=20, choices=Status, default=Status.OPEN)
    assignee = models.CharField(max_length=220, blank=True)
    due_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    decided_by = models.CharField(max_length=220, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            status_known(CaseStatus),
            models.UniqueConstraint(
                fields=("subject",),
                condition=Q(status__in=(CaseStatus.OPEN, CaseStatus.CLAIMED)),
                name="fraud_fraudcase_one_undecided",
            ),
        ]

    def __str__(self) -> str:
        return f"Fraud case {self.pk} of {self.order_number}"
