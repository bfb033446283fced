"""Fraud: rules at their borders, scored once, cases that two people never share."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ecommerce.fraud.models import FraudCase, FraudRule, RiskAssessment
from ecommerce.fraud.predicates import holds
from ecommerce.fraud.services import (
    assessment_request,
    assessments_overdue,
    case_claim_next,
    case_decide,
    case_open,
    rule_change,
)
from messaging.models import Event
from platform_site.common.errors import Invalid, TransitionNotAllowed
from tests.factories.fraud import make_assessment, make_case

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("facts", "fired", "score"),
    [
        ({"total": "1000.00"}, [], 0),
        ({"total": "1000.01"}, ["high_value"], 20),
        ({"account_age_hours": 24}, [], 0),
        ({"account_age_hours": 23}, ["new_account"], 30),
        ({"orders_last_hour": 3}, [], 0),
        ({"orders_last_hour": 4}, ["velocity"], 40),
        ({"failed_payments": 2}, [], 0),
        ({"failed_payments": 3}, ["failed_payments"], 25),
        ({"billing_differs": False}, [], 0),
        ({"billing_differs": True}, ["billing_differs"], 15),
        ({"items": 10}, [], 0),
        ({"items": 11}, ["many_items"], 10),
    ],
)
def test_each_known_rule_fires_just_beyond_its_border(run_agents, facts, fired, score):
    assessment = make_assessment(**facts)

    run_agents()

    assessment.refresh_from_db()
    assert [rule["code"] for rule in assessment.fired] == fired
    assert assessment.score == score


@pytest.mark.parametrize(
    ("facts", "level", "recommendation", "score"),
    [
        ({"total": "2000", "billing_differs": True}, "low", "approve", 35),
        ({"orders_last_hour": 9}, "medium", "review", 40),
        ({"orders_last_hour": 9, "account_age_hours": 1}, "high", "reject", 70),
        (
            {
                "total": 2000,
                "account_age_hours": 1,
                "orders_last_hour": 9,
                "failed_payments": 9,
                "items": 99,
            },
            "high",
            "reject",
            100,
        ),
    ],
)
def test_the_score_leads_to_a_level_and_a_recommendation(
    run_agents, facts, level, recommendation, score
):
    assessment = make_assessment(**facts)

    run_agents()

    event = Event.objects.get(type="assessment.decided")
    assert event.data == {
        "subject": assessment.subject,
        "order_number": assessment.order_number,
        "level": level,
        "score": score,
        "recommendation": recommendation,
    }


def test_facts_that_are_not_known_fire_no_rule(run_agents):
    assessment = make_assessment(total=None, account_age_hours=None, currency="GBP")

    run_agents()

    assessment.refresh_from_db()
    assert (assessment.score, assessment.level, assessment.fired) == (0, "low", [])
    assert assessment.rule_versions == dict.fromkeys(
        (
            "high_value",
            "new_account",
            "velocity",
            "failed_payments",
            "billing_differs",
            "many_items",
        ),
        1,
    )


def test_a_subject_is_assessed_once_with_the_facts_and_rules_of_that_moment(run_agents):
    assessment = make_assessment(total="5000")
    run_agents()
    rule_change(FraudRule.objects.get(code="high_value"), weight=90, actor="alice")

    asked_again = assessment_request(
        subject=assessment.subject, order_number="x", facts={"total": 1}, actor="shop"
    )
    run_agents()

    assert asked_again.pk == assessment.pk
    assert (asked_again.score, asked_again.facts) == (20, {"total": "5000"})
    assert Event.objects.filter(type="assessment.decided").count() == 1


def test_allow_wins_over_block_and_block_over_the_score(run_agents):
    always = {"all": [{"fact": "total", "op": ">", "value": 0}]}
    make_assessment()
    block = FraudRule.objects.create(code="b", name="b", predicate=always, action="block")
    first = make_assessment(total=1)
    run_agents()
    first.refresh_from_db()
    FraudRule.objects.create(code="a", name="a", predicate=always, action="allow")
    second = make_assessment(total=1)
    run_agents()
    second.refresh_from_db()

    assert (first.level, first.recommendation) == ("high", "block")
    assert (second.level, second.recommendation) == ("low", "approve")
    assert [rule["code"] for rule in second.fired] == [block.code, "a"]


def test_a_shadow_rule_is_noted_and_decides_nothing(run_agents):
    make_assessment()
    rule_change(FraudRule.objects.get(code="velocity"), shadow=True, actor="alice")
    assessment = make_assessment(orders_last_hour=9)

    run_agents()

    assessment.refresh_from_db()
    assert (assessment.score, assessment.recommendation) == (0, "approve")
    assert [(rule["code"], rule["shadow"]) for rule in assessment.fired] == [("velocity", True)]


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ({"fact": "a", "op": ">", "value": 1}, True),
        ({"fact": "unknown", "op": ">", "value": 1}, None),
        ({"not": [{"fact": "unknown", "op": ">", "value": 1}]}, None),
        ({"not": [{"fact": "a", "op": ">", "value": 2}]}, True),
        (
            {
                "any": [
                    {"fact": "unknown", "op": "==", "value": 1},
                    {"fact": "a", "op": "==", "value": 2},
                ]
            },
            True,
        ),
        (
            {
                "all": [
                    {"fact": "unknown", "op": "==", "value": 1},
                    {"fact": "a", "op": "==", "value": 3},
                ]
            },
            False,
        ),
        ({"fact": "word", "op": "in", "value": ["x", "y"]}, True),
        ({"fact": "word", "op": ">", "value": 3}, None),
    ],
)
def test_predicates_know_true_false_and_unknown(predicate, expected):
    assert holds(predicate, {"a": 2, "word": "x"}) is expected


@pytest.mark.parametrize(
    "predicate",
    [
        "__import__('os')",
        {"fact": "a", "op": "eval", "value": 1},
        {"all": []},
        {"xor": [{"fact": "a", "op": ">", "value": 1}]},
        {"fact": "a", "op": "in", "value": 3},
    ],
)
def test_what_is_no_predicate_is_refused_and_the_rule_stays(predicate):
    make_assessment()
    rule = FraudRule.objects.get(code="velocity")

    with pytest.raises(Invalid):
        rule_change(rule, predicate=predicate, actor="alice")

    rule.refresh_from_db()
    assert rule.version == 1
    assert not Event.objects.filter(type="fraud_rule.changed").exists()


def test_what_nobody_assesses_within_five_minutes_is_overdue():
    late, fresh = make_assessment(), make_assessment()
    RiskAssessment.objects.filter(pk=late.pk).update(
        created_at=timezone.now() - timedelta(minutes=5, seconds=1)
    )

    assert list(assessments_overdue()) == [late]
    assert fresh.status == "pending"


def test_a_subject_has_one_undecided_case():
    first = make_case("orders.order:1")

    second = case_open(subject="orders.order:1", order_number="x", actor="shop")

    assert second == first
    assert Event.objects.filter(type="fraud_case.opened").count() == 1


def test_cases_are_claimed_in_order_and_run_out():
    first, second = make_case(), make_case()

    claimed = [case_claim_next(actor=name) for name in ("alice", "carol", "dave")]

    assert claimed == [first, second, None]
    assert [case.assignee for case in claimed[:2]] == ["alice", "carol"]


def test_an_approved_case_overrides_its_assessment(run_agents):
    assessment = make_assessment(orders_last_hour=9, account_age_hours=1)
    run_agents()
    case = make_case(assessment.subject)

    case_decide(case, decision="approved", reason="known customer", actor="alice")

    assessment.refresh_from_db()
    assert (assessment.status, assessment.decided_by) == ("overridden", "alice")
    event = Event.objects.get(type="fraud_case.approved")
    assert event.data == {
        "subject": assessment.subject,
        "order_number": case.order_number,
        "reason": "known customer",
    }


def test_a_decided_case_stays_decided():
    case = make_case()
    case_decide(case, decision="rejected", reason="stolen card", actor="alice")

    with pytest.raises(TransitionNotAllowed):
        case_decide(case, decision="approved", reason="", actor="carol")

    assert FraudCase.objects.get().status == "rejected"
    assert not Event.objects.filter(type="fraud_case.approved").exists()


def test_the_rules_and_the_figures_of_thirty_days_are_shown(api, run_agents):
    make_assessment(orders_last_hour=9)
    make_assessment(orders_last_hour=9, account_age_hours=1)
    make_assessment(items=1)
    run_agents()
    make_case()

    rules = api.get("/api/fraud/rules").json()["rules"]
    stats = api.get("/api/fraud/stats").json()

    assert [(rule["code"], rule["weight"]) for rule in rules][:2] == [
        ("high_value", 20),
        ("new_account", 30),
    ]
    assert stats.pop("as_of")
    assert stats == {
        "total_orders_analyzed": 3,
        "high_risk_orders": 1,
        "medium_risk_orders": 1,
        "low_risk_orders": 1,
        "fraud_alerts": 1,
        "high_risk_percentage": 33.33,
    }
