"""What every console page stands on: rows that are viewed, named actions that call services."""

from platform_site.common.admin import checks, keys, people  # noqa: F401 (they register)
from platform_site.common.admin.actions import ServiceAction, service_action
from platform_site.common.admin.base import MatrixPermissions, ReadOnlyAdmin, ReadOnlyInline
from platform_site.common.admin.columns import (
    ago,
    amount,
    chip,
    link_to,
    mono,
    postal,
    pretty_json,
    quantity,
    row_link,
    search_link,
    status_chip,
    words,
)
from platform_site.common.admin.filters import ChoiceFilter
from platform_site.common.admin.forms import Dialog, KeyedDialog, ReasonDialog
from platform_site.common.admin.panels import Entry, Panel, table, timeline

__all__ = [
    "ChoiceFilter",
    "Dialog",
    "Entry",
    "KeyedDialog",
    "MatrixPermissions",
    "Panel",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "ReasonDialog",
    "ServiceAction",
    "ago",
    "amount",
    "chip",
    "link_to",
    "mono",
    "postal",
    "pretty_json",
    "quantity",
    "row_link",
    "search_link",
    "service_action",
    "status_chip",
    "table",
    "timeline",
    "words",
]
