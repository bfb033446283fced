"""The port through which the ground floor writes `security.*` events; messaging fills it."""

from typing import Any

from platform_site.common.ports import Port

# record("security.denied", actor="…", address="…", **facts)
record: Port[..., Any] = Port("common.audit.record")
