"""What the platform says no with."""

from typing import Any


class FleetdeskError(Exception):
    """The platform refused: the HTTP status, a sentence for people, a code for programs."""

    def __init__(self, status: int, detail: str, code: str = "", body: Any = None) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.code = code
        self.body = body


class LeaseLost(FleetdeskError):
    """The task is not ours any more: drop it. Somebody else works on it, or it is closed."""


class Retry(Exception):
    """Raised by a handler: give the task back, and not before `after_s`. Nothing is spent."""

    def __init__(self, after_s: float = 0, reason: str = "") -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.reason = reason
