"""Every write to fraud: ask for an assessment, keep its verdict, let people decide cases."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from ecommerce.fraud import events
from ecommerce.fraud.models import FraudCase, FraudRule, RiskAssessment
from ecommerce.fraud.predicates import check
from ecommerce.fraud.scoring import judge
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, StaleState

ASSESS_WITHIN = timedelta(minutes=5)
DECIDE_WITHIN = timedelta(hours=24)
EDITABLE = ("name", "description", "predicate", "weight", "action", "enabled", "shadow")


@transaction.atomic
def assessment_request(
    *, subject: str, order_number: str, facts: dict[str, Any], actor: str
) -> RiskAssessment:
    """Ask how risky a subject is, with the facts of this moment; a subject is assessed once."""
    assessment, is_new = RiskAssessment.objects.get_or_create(
        subject=subject,
        defaults={"order_number": order_number, "facts": _stored(facts)},
    )
    if is_new:
        told = {"assessment_id": assessment.pk, **_facts(assessment)}
        emit(events.ASSESSMENT_REQUESTED, assessment, actor=actor, **told)
    return assessment


@transaction.atomic
def assessment_decide(assessment: RiskAssessment, *, actor: str) -> RiskAssessment:
    """Score the facts by the rules as they are now, once.

    Raises TransitionNotAllowed, StaleState.
    """
    rules = list(FraudRule.objects.filter(enabled=True))
    verdict = judge(rules, assessment.facts)
    assessment.become(
        RiskAssessment.Status.DECIDED,
        score=verdict.score,
        level=verdict.level,
        recommendation=verdict.recommendation,
        fired=verdict.fired,
        rule_versions={rule.code: rule.version for rule in rules},
        decided_at=timezone.now(),
        decided_by=actor,
    )
    emit(
        events.ASSESSMENT_DECIDED,
        assessment,
        actor=actor,
        **_facts(assessment),
        level=verdict.level,
        score=verdict.score,
        recommendation=verdict.recommendation,
    )
    return assessment


def assessments_overdue() -> QuerySet[RiskAssessment]:
    """Assessments that nobody made within five minutes: what they are about must not go on."""
    return RiskAssessment.objects.filter(
        status=RiskAssessment.Status.PENDING, created_at__lt=timezone.now() - ASSESS_WITHIN
    )


@requires("fraud:edit")
@transaction.atomic
def case_open(*, subject: str, order_number: str, actor: str) -> FraudCase:
    """A person shall look at the subject; one undecided case at a time."""
    try:
        with transaction.atomic():
            case = FraudCase.objects.create(
                subject=subject,
                order_number=order_number,
                assessment=RiskAssessment.objects.filter(subject=subject).first(),
                due_at=timezone.now() + DECIDE_WITHIN,
            )
    except IntegrityError:
        return FraudCase.objects.get(subject=subject, status__in=FraudCase.UNDECIDED)
    emit(events.FRAUD_CASE_OPENED, case, actor=actor, **_facts(case))
    return case


@requires("fraud:edit")
@transaction.atomic
def case_claim_next(*, actor: str) -> FraudCase | None:
    """Take the open case that is due first; two reviewers never get the same one."""
    waiting = FraudCase.objects.filter(status=FraudCase.Status.OPEN).order_by("due_at", "pk")
    case = waiting.select_for_update(skip_locked=True).first()
    if case is None:
        return None
    case.become(FraudCase.Status.CLAIMED, assignee=actor)
    emit(events.FRAUD_CASE_CLAIMED, case, actor=actor, **_facts(case))
    return case


@requires("fraud:edit")
@transaction.atomic
def case_decide(case: FraudCase, *, decision: str, reason: str, actor: str) -> FraudCase:
    """`approved` lets the order go on, `rejected` cancels it.

    Raises Invalid, TransitionNotAllowed, StaleState.
    """
    happened: dict[str, str] = {
        FraudCase.Status.APPROVED: events.FRAUD_CASE_APPROVED,
        FraudCase.Status.REJECTED: events.FRAUD_CASE_REJECTED,
    }
    if decision not in happened:
        raise Invalid("A case is approved or rejected.", field="decision")
    case.become(decision, reason=reason, decided_by=actor, decided_at=timezone.now())
    if decision == FraudCase.Status.APPROVED:
        _override(case, actor)
    emit(happened[case.status], case, actor=actor, **_facts(case), reason=reason)
    return case


@transaction.atomic
def rule_ensure(*, code: str, actor: str, **fields: Any) -> FraudRule:
    """The rule of that code, made if it is missing; an existing one stays as people set it."""
    check(fields["predicate"])
    rule, _ = FraudRule.objects.get_or_create(code=code, defaults=fields)
    return rule


@requires("fraud:edit")
@transaction.atomic
def rule_change(rule: FraudRule, *, actor: str, **fields: Any) -> FraudRule:
    """Change a rule; decided assessments keep the version that they were made with."""
    changed = {name: fields[name] for name in EDITABLE if name in fields}
    check(changed.get("predicate", rule.predicate))
    old = {name: getattr(rule, name) for name in changed}
    same_version = FraudRule.objects.filter(pk=rule.pk, version=rule.version)
    if not same_version.update(version=F("version") + 1, updated_at=timezone.now(), **changed):
        raise StaleState(f"The rule {rule} was changed by somebody else meanwhile; read it again.")
    rule.refresh_from_db()
    emit(events.FRAUD_RULE_CHANGED, rule, actor=actor, code=rule.code, old=old, new=changed)
    return rule


def _override(case: FraudCase, actor: str) -> None:
    assessment = case.assessment
    if assessment is not None and assessment.status == RiskAssessment.Status.DECIDED:
        assessment.become(RiskAssessment.Status.OVERRIDDEN, decided_by=actor)


def _stored(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as JSON keeps them: amounts as exact text."""
    return {
        name: value if isinstance(value, (bool, int, float, list, type(None))) else str(value)
        for name, value in facts.items()
    }


def _facts(row: RiskAssessment | FraudCase) -> dict[str, Any]:
    return {"subject": row.subject, "order_number": row.order_number}
