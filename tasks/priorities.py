"""Priorities: a number from 1 to 10, the Coordinator's five words and bands."""

from platform_site.common.errors import BadWord

WORDS = {"low": 2, "normal": 5, "high": 7, "critical": 9, "urgent": 10}
# Band: the lowest and the highest priority in it, in the order in which the reference names them.
BANDS = {"urgent": (10, 10), "critical": (9, 9), "high": (7, 8), "normal": (4, 6), "low": (1, 3)}


def number_of(word: str) -> int:
    """The number that a word stands for, in any case of letters. Raises BadWord."""
    number = WORDS.get(word.lower())
    if number is None:
        raise BadWord(f"Invalid priority: {word}")
    return number


def word_of(priority: int) -> str:
    """The band of a number."""
    return next(word for word, (low, high) in BANDS.items() if low <= priority <= high)
