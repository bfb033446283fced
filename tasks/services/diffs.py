"""What was changed between two JSON values, as a list that a person can read."""

from typing import Any

_ABSENT = object()


def differences(before: Any, after: Any, path: str = "") -> list[dict[str, Any]]:
    """`[{path, from, to}]`; a key that was not there has no `from`, one that went no `to`."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key in sorted({*before, *after}):
            here = f"{path}.{key}" if path else key
            found += differences(before.get(key, _ABSENT), after.get(key, _ABSENT), here)
        return found
    if before is not _ABSENT and after is not _ABSENT and before == after:
        return []
    sides = {"from": before, "to": after}
    return [{"path": path, **{side: v for side, v in sides.items() if v is not _ABSENT}}]
