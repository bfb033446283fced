"""Risk in the console: cases to decide, assessments with their reasons, the rules."""

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from ecommerce.fraud import services
from ecommerce.fraud.models import FraudCase, FraudRule, RiskAssessment
from messaging.history import history
from platform_site.common.admin import (
    ChoiceFilter,
    Panel,
    ReadOnlyAdmin,
    ReasonDialog,
    ago,
    chip,
    link_to,
    mono,
    pretty_json,
    quantity,
    search_link,
    service_action,
    table,
    timeline,
)


def fired_rules(assessment: RiskAssessment | None) -> Panel:
    """Why the score is what it is: the rules that fired."""
    rows = [
        (
            rule.get("name"),
            rule.get("action"),
            rule.get("weight"),
            "shadow" if rule.get("shadow") else "",
        )
        for rule in (assessment.fired if assessment else [])
    ]
    headers = ("rule", "action", "weight", "")
    note = "The rules that fired, as they stood then. A fact that is unknown fires no rule."
    return table("Why", headers, rows, note=note, empty="No rule fired.")


class DecidedFilter(ChoiceFilter):
    """Open and claimed cases wait for a person."""

    title = "decided"
    parameter_name = "decided"
    conditions = {
        "no": ("waits for a person", Q(status__in=FraudCase.UNDECIDED)),
        "yes": ("decided", ~Q(status__in=FraudCase.UNDECIDED)),
    }


@admin.register(FraudCase)
class FraudCaseAdmin(ReadOnlyAdmin):
    """Orders that a person has to look at."""

    view_permission = "fraud:view"
    icon, rank = "gavel", 10
    list_display = (
        "__str__",
        chip("status"),
        search_link("order_number", "orders_order", "order"),
        quantity("assessment__score", "score"),
        chip("assessment__level", "level"),
        "assignee",
        ago("due_at", "due"),
        ago("created_at", "opened"),
    )
    list_filter = (DecidedFilter, "status", "assessment__level")
    list_select_related = ("assessment",)
    search_fields = ("=order_number", "=subject")
    fields = (
        (chip("status"), search_link("order_number", "orders_order", "order")),
        (quantity("assessment__score", "score"), chip("assessment__level", "level")),
        (link_to("assessment"), "assignee", "due_at"),
        ("decided_by", "decided_at", "reason"),
        pretty_json("assessment__facts", "facts of the order"),
    )
    actions = [
        service_action(
            services.case_decide,
            "Approve",
            name="case_approve",
            given={"decision": FraudCase.Status.APPROVED},
            form=ReasonDialog,
            to=FraudCase.Status.APPROVED,
            icon="verified",
            effect="The hold ends and the order goes on: capture, picking, shipping.",
        ),
        service_action(
            services.case_decide,
            "Reject",
            name="case_reject",
            given={"decision": FraudCase.Status.REJECTED},
            form=ReasonDialog,
            to=FraudCase.Status.REJECTED,
            danger=True,
            icon="gpp_bad",
            effect="The order is cancelled: stock and money go back.",
        ),
    ]

    def panels(self, request: HttpRequest, row: FraudCase) -> list[Panel]:
        return [fired_rules(row.assessment), timeline(history(row))]


@admin.register(RiskAssessment)
class RiskAssessmentAdmin(ReadOnlyAdmin):
    """How risky an order was found, once."""

    view_permission = "fraud:view"
    icon, rank = "troubleshoot", 20
    list_display = (
        "__str__",
        chip("status"),
        search_link("order_number", "orders_order", "order"),
        quantity("score"),
        chip("level"),
        "recommendation",
        ago("decided_at", "decided"),
    )
    list_filter = ("level", "recommendation", "status")
    search_fields = ("=order_number", "=subject")
    fields = (
        (chip("status"), search_link("order_number", "orders_order", "order")),
        ("score", chip("level"), "recommendation"),
        ("decided_at", "decided_by"),
        pretty_json("facts"),
        pretty_json("rule_versions", "rules that were asked"),
    )

    def panels(self, request: HttpRequest, row: RiskAssessment) -> list[Panel]:
        return [fired_rules(row), timeline(history(row))]


@admin.register(FraudRule)
class FraudRuleAdmin(ReadOnlyAdmin):
    """The rules, as rows."""

    view_permission = "fraud:view"
    icon, rank = "rule", 30
    list_display = ("name", mono("code"), "action", quantity("weight"), "enabled", "shadow")
    list_filter = ("action", "enabled")
    fields = (
        ("name", "code"),
        "description",
        ("action", "weight", "enabled", "shadow"),
        pretty_json("predicate", "fires when"),
        ("version", "updated_at"),
    )
