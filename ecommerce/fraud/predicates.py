"""The language of fraud rules: `{"all": [{"fact": "total", "op": ">", "value": 1000}, …]}`.

A predicate is a comparison, or `all`, `any` or `not` over a list of predicates. It is data and is
walked, never evaluated as code. A fact that is unknown makes a comparison unknown (Kleene's
three-valued logic), and a rule fires only on true: what is not known is held against nobody.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from platform_site.common.errors import Invalid

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": gt,
    ">=": ge,
    "<": lt,
    "<=": le,
    "==": eq,
    "!=": ne,
    "in": lambda value, choices: value in choices,
}
JOINS = ("all", "any", "not")
MAX_DEPTH = 8


def holds(predicate: Mapping[str, Any], facts: Mapping[str, Any]) -> bool | None:
    """True, False, or None where an unknown fact decides."""
    if "fact" in predicate:
        return _compare(predicate, facts)
    ((join, inner),) = predicate.items()
    answers = [holds(part, facts) for part in inner]
    if join == "all":
        return _all(answers)
    some = _not(_all([_not(answer) for answer in answers]))
    return some if join == "any" else _not(some)


def check(predicate: Any, *, depth: int = 0) -> None:
    """Raises Invalid for what is no predicate; `not` means: none of these."""
    if not isinstance(predicate, dict) or depth > MAX_DEPTH:
        raise _no_predicate(predicate)
    if "fact" in predicate:
        _check_comparison(predicate)
        return
    if len(predicate) != 1:
        raise _no_predicate(predicate)
    ((join, inner),) = predicate.items()
    if join not in JOINS or not isinstance(inner, list) or not inner:
        raise _no_predicate(predicate)
    for part in inner:
        check(part, depth=depth + 1)


def _compare(comparison: Mapping[str, Any], facts: Mapping[str, Any]) -> bool | None:
    fact = facts.get(comparison["fact"])
    if fact is None:
        return None
    try:
        return COMPARISONS[comparison["op"]](_plain(fact), _plain(comparison["value"]))
    except TypeError:
        return None  # text against a number: nothing is known


def _check_comparison(comparison: dict[str, Any]) -> None:
    if set(comparison) != {"fact", "op", "value"} or not isinstance(comparison["fact"], str):
        raise _no_predicate(comparison)
    if comparison["op"] not in COMPARISONS:
        raise Invalid(
            f"{comparison['op']} is no comparison; there are {', '.join(COMPARISONS)}.",
            field="predicate",
        )
    if comparison["op"] == "in" and not isinstance(comparison["value"], list):
        raise Invalid("The comparison in needs a list of values.", field="predicate")


def _plain(value: Any) -> Any:
    """Numbers and text of numbers as exact decimals, so that "1000.01" is more than 1000."""
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value


def _all(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _no_predicate(value: Any) -> Invalid:
    return Invalid(
        f"{value!r} is no predicate: a comparison of fact, op and value, or all, any or not "
        "with a list.",
        field="predicate",
    )
