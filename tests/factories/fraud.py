"""Assessments and the rules behind them."""

from itertools import count

from ecommerce.fraud.first_run import ensure
from ecommerce.fraud.models import FraudRule
from ecommerce.fraud.services import assessment_request, case_open

_numbers = count(1)


def make_assessment(**facts):
    """An assessment that is asked for, with these facts; the first rules exist."""
    if not FraudRule.objects.exists():
        ensure(actor="test")
    number = next(_numbers)
    return assessment_request(
        subject=f"orders.order:{number}",
        order_number=f"ORD-F{number:05d}",
        facts=facts,
        actor="shop",
    )


def make_case(subject=""):
    """A case that nobody has looked at."""
    number = next(_numbers)
    return case_open(
        subject=subject or f"orders.order:{number}", order_number=f"ORD-F{number:05d}", actor="shop"
    )
