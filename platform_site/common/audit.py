"""The port through which the ground floor writes `security.*` events; messaging fills it."""

from typing import Any

from platform_site.common.ports import Port

# Called with the event's name and actor=, subject= (a row, if there is one) and the facts.
record: Port[..., Any] = Port("common.audit.record")
