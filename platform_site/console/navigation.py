"""The sidebar: groups of the console, derived from the registered pages and the table of agents."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from ecommerce.agents import BY_PACKAGE

GROUPS = ("Operate", "Commerce", "Customers", "Logistics", "Risk", "Agents", "System")
# Where the pages of a package stand; a domain that is not named here is commerce.
GROUP_OF_PACKAGE = {
    "tasks": "Operate",
    "messaging": "Operate",
    "registry": "Agents",
    "common": "System",
    "auth": "System",
    "customers": "Customers",
    "communications": "Customers",
    "support": "Customers",
    "after_sales": "Customers",
    "inventory": "Logistics",
    "warehouses": "Logistics",
    "carriers": "Logistics",
    "transport": "Logistics",
    "quality": "Logistics",
    "fraud": "Risk",
    "risk": "Risk",
    "monitoring": "Operate",
    "infrastructure": "System",
    "gateway": "System",
    "ai_monitoring": "Agents",
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups and their entries; an entry needs the view permission of its page."""
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in GROUPS}
    groups["Operate"].append(
        {"title": "Control room", "icon": "space_dashboard", "link": reverse("admin:index")}
    )
    for page in sorted(admin.site._registry.values(), key=_order):
        if getattr(page, "in_sidebar", True) and page.has_view_permission(request):
            groups[_group(page.model)].append(_entry(page))
    return [{"title": name, "items": items} for name, items in groups.items() if items]


def _entry(page: Any) -> dict[str, Any]:
    meta = page.model._meta
    title = getattr(page, "title", "") or str(meta.verbose_name_plural)
    return {
        "title": title[:1].upper() + title[1:],
        "icon": getattr(page, "icon", "table_rows"),
        "link": reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"),
    }


def _group(model: type[models.Model]) -> str:
    package = model._meta.app_label
    default = "Commerce" if package in BY_PACKAGE else "System"
    return GROUP_OF_PACKAGE.get(package, default)


def _order(page: Any) -> tuple[int, int, str]:
    """The page's own rank first, then the order of the table of agents."""
    meta = page.model._meta
    spec = BY_PACKAGE.get(meta.app_label)
    port = spec.port if spec else 0
    return getattr(page, "rank", 50), port, str(meta.verbose_name_plural)
