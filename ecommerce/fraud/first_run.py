"""The first rules of a new installation: the six that the system always had."""

from typing import Any

from ecommerce.fraud.services import rule_ensure


def _rule(code: str, name: str, fact: str, op: str, value: Any, weight: int) -> dict[str, Any]:
    predicate = {"all": [{"fact": fact, "op": op, "value": value}]}
    return {"code": code, "name": name, "predicate": predicate, "weight": weight}


RULES = (
    _rule("high_value", "The order is worth more than 1000", "total", ">", 1000, 20),
    _rule("new_account", "The account is younger than a day", "account_age_hours", "<", 24, 30),
    _rule("velocity", "More than 3 orders within an hour", "orders_last_hour", ">", 3, 40),
    _rule("failed_payments", "More than 2 failed payments", "failed_payments", ">", 2, 25),
    _rule("billing_differs", "Billed to another address", "billing_differs", "==", True, 15),
    _rule("many_items", "More than 10 items", "items", ">", 10, 10),
)


def ensure(*, actor: str) -> None:
    """The six rules; what people changed about them stays."""
    for rule in RULES:
        rule_ensure(**rule, actor=actor)
