"""The fraud agent: scores what it is asked about."""

from typing import Any

from ecommerce.fraud import events, services
from ecommerce.fraud.models import RiskAssessment
from tasks.handlers import handles


@handles(on=events.ASSESSMENT_REQUESTED)
def assess(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """The rules are asked about the facts that came with the request."""
    assessment = RiskAssessment.objects.get(pk=event["data"]["assessment_id"])
    if assessment.status != RiskAssessment.Status.PENDING:
        return {"skipped": f"assessed already: {assessment.recommendation}"}
    services.assessment_decide(assessment, actor=actor)
    return {
        "order_number": assessment.order_number,
        "score": assessment.score,
        "level": assessment.level,
        "recommendation": assessment.recommendation,
        "fired": [rule["code"] for rule in assessment.fired],
    }
