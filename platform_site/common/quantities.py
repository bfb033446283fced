"""Quantities as Kubernetes writes them: `500m`, `1Gi`, `2`, `1e3`."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from platform_site.common.errors import Invalid

_FACTORS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}
_FORM = re.compile(r"^([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?|\.[0-9]+)([a-zA-Z]{0,2})$")


def quantity(value: Any, *, key: str) -> Decimal:
    """The number that a quantity stands for, in its base unit (cores, bytes, pieces).

    Raises Invalid naming `key` for text that is no quantity and for a negative one.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise Invalid(f"{key} must be a quantity such as 2, 500m or 1Gi.", field=key)
    match = _FORM.match(str(value).strip())
    if match is None or match[2] not in _FACTORS:
        raise Invalid(
            f"{key} is {value!r}, which is no quantity such as 2, 500m or 1Gi.", field=key
        )
    try:
        return Decimal(match[1]) * _FACTORS[match[2]]
    except InvalidOperation as error:
        raise Invalid(f"{key} is {value!r}, which is out of range.", field=key) from error


def quantities(values: dict[str, Any], *, field: str = "resources") -> dict[str, Decimal]:
    """Every value of a mapping as its number; keys as given."""
    return {key: quantity(value, key=f"{field}.{key}") for key, value in values.items()}
