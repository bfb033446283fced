"""Fraud in the Commerce API: what needs no orders."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.fraud.models import FraudCase, FraudRule, Level, RiskAssessment
from platform_site.common.api import ApiView, commerce
from platform_site.common.json import instant

STATS_SPAN = timedelta(days=30)


class RulesView(ApiView):
    """The rules as they are now."""

    access = {"get": "fraud:view"}

    def get(self, request: Request) -> Response:
        return Response({"rules": [_rule(rule) for rule in FraudRule.objects.all()]})


class StatsView(ApiView):
    """What was found within the last 30 days."""

    access = {"get": "fraud:view"}

    def get(self, request: Request) -> Response:
        decided = RiskAssessment.objects.filter(
            decided_at__gte=timezone.now() - STATS_SPAN
        ).order_by()
        counts = decided.aggregate(
            total=Count("pk"),
            high=Count("pk", filter=Q(level=Level.HIGH)),
            medium=Count("pk", filter=Q(level=Level.MEDIUM)),
            low=Count("pk", filter=Q(level=Level.LOW)),
        )
        total = counts["total"]
        open_cases = FraudCase.objects.filter(status__in=FraudCase.UNDECIDED).count()
        return Response(
            {
                "total_orders_analyzed": total,
                "high_risk_orders": counts["high"],
                "medium_risk_orders": counts["medium"],
                "low_risk_orders": counts["low"],
                "fraud_alerts": open_cases,
                "high_risk_percentage": round(counts["high"] / total * 100, 2) if total else None,
                "as_of": instant(timezone.now()),
            }
        )


def _rule(rule: FraudRule) -> dict[str, Any]:
    return {
        "id": rule.pk,
        "code": rule.code,
        "name": rule.name,
        "description": rule.description,
        "weight": rule.weight,
        "enabled": rule.enabled,
        "action": rule.action,
        "shadow": rule.shadow,
        "predicate": rule.predicate,
        "version": rule.version,
    }


commerce.view("fraud/rules", RulesView.as_view())
commerce.view("fraud/stats", StatsView.as_view())
