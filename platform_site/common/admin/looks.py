"""How a status looks: one of five looks, each with an icon."""

WAITING, WORKING, DONE, ATTENTION, FAILED = "waiting", "working", "done", "attention", "failed"
ICONS = {
    WAITING: "schedule",
    WORKING: "autorenew",
    DONE: "check_circle",
    ATTENTION: "error",
    FAILED: "cancel",
}
# The words of all domains; one that is missing here waits.
_WORDS = {
    WAITING: """ready pending scheduled blocked queued requested draft new none unpaid unfulfilled
        open unknown unassigned not_required not_started offline never_seen""",
    WORKING: """assigned running started processing busy picking picked packed packing labelled
        authorized in_transit shipped confirmed rendering sending partial partially_paid
        partially_fulfilled partially_refunded claimed rated released reserved firm capturing""",
    DONE: """completed done succeeded delivered captured paid fulfilled active approved sent
        rendered issued consumed healthy online idle available closed low ok decided""",
    ATTENTION: """waiting retrying on_hold held review in_review medium short degraded draining
        cordoned cancel_requested cancelling expired stale suspect suppressed refunded
        maintenance unresponsive late""",
    FAILED: """failed dead dead_letter cancelled rejected declined voided error lost high block
        disabled unhealthy archived deregistered revoked undelivered label_failed""",
}
LOOKS = {word: look for look, words in _WORDS.items() for word in words.split()}


def look_of(status: str) -> str:
    """The look of a status word."""
    return LOOKS.get(status, WAITING)
