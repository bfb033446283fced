"""Refusals: what a service raises when it says no, in a sentence that a person can act on."""

from typing import Any


class Refusal(Exception):
    """The service said no: `detail` for people, `code` for programs, `facts` for the answer."""

    status = 409
    code = "refused"

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class Invalid(Refusal):
    """The input breaks a rule that its shape does not show; `field` names the culprit."""

    status = 422
    code = "invalid"

    def __init__(self, detail: str, *, field: str = "", **facts: Any) -> None:
        errors = [{"field": field, "message": detail, "code": "invalid"}]
        super().__init__(detail, errors=errors, **facts)


class BadWord(Refusal):
    """A word outside its enumeration where the reference answers 400."""

    status = 400
    code = "invalid"


class Missing(Refusal):
    """There is no such thing, or the caller may not know of it."""

    status = 404
    code = "not_found"


class Forbidden(Refusal):
    """The caller may not do this."""

    status = 403
    code = "forbidden"


class TransitionNotAllowed(Refusal):
    """The move is not in the table of transitions."""

    code = "transition_not_allowed"


class StaleState(Refusal):
    """Somebody else moved the row between our read and our write."""

    code = "stale_state"


class Unavailable(Refusal):
    """Something that we need is away for the moment; `retry_after_s` says when to come again."""

    status = 503
    code = "unavailable"

    def __init__(self, detail: str, *, retry_after_s: int = 5, **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.retry_after_s = retry_after_s
