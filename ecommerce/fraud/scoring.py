"""From facts and rules to a score, a level and a recommendation. Writes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ecommerce.fraud.models import Action, FraudRule, Level, Recommendation
from ecommerce.fraud.predicates import holds

MEDIUM_FROM = 40
HIGH_FROM = 70
HIGHEST = 100


@dataclass(frozen=True)
class Verdict:
    """What the rules say about one set of facts."""

    score: int
    level: str
    recommendation: str
    fired: list[dict[str, Any]]


def judge(rules: Iterable[FraudRule], facts: Mapping[str, Any]) -> Verdict:
    """Allow wins over block, block over the score; shadow rules are noted and decide nothing."""
    fired = [rule for rule in rules if holds(rule.predicate, facts) is True]
    counted = [rule for rule in fired if not rule.shadow]
    score = min(HIGHEST, sum(rule.weight for rule in counted))
    level, recommendation = _decide({rule.action for rule in counted}, score)
    return Verdict(score, level, recommendation, [_noted(rule) for rule in fired])


def _decide(actions: set[str], score: int) -> tuple[str, str]:
    if Action.ALLOW in actions:
        return Level.LOW, Recommendation.APPROVE
    if Action.BLOCK in actions:
        return Level.HIGH, Recommendation.BLOCK
    if score >= HIGH_FROM:
        return Level.HIGH, Recommendation.REJECT
    if score >= MEDIUM_FROM:
        return Level.MEDIUM, Recommendation.REVIEW
    return Level.LOW, Recommendation.REVIEW if Action.REVIEW in actions else Recommendation.APPROVE


def _noted(rule: FraudRule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "version": rule.version,
        "weight": rule.weight,
        "action": rule.action,
        "shadow": rule.shadow,
    }
