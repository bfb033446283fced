"""The sequencer: numbers committed events densely, in id order (engine.md 9.1)."""


def number_after_commit() -> None:
    """Number what is committed as soon as the running transaction is."""


def number_events() -> int:
    """Number committed rows; returns how many."""
    return 0
