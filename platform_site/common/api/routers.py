"""One router for each API; the URL configurations of all ports are derived from them."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, re_path
from rest_framework.routers import SimpleRouter


class ApiRouter(SimpleRouter):
    """Routes with an optional trailing slash. `register` takes viewsets, `view` single views."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"
        self.views: list[tuple[str, Callable[..., Any], str]] = []

    def register(self, prefix: str, viewset: Any, basename: str | None = None) -> None:
        """The routes of a viewset under `prefix`; a second one there needs a basename."""
        super().register(prefix, viewset, basename or f"{viewset.__module__}.{viewset.__name__}")

    def view(self, route: str, view: Callable[..., Any]) -> None:
        """A single view; `route` is a regular expression without slashes at its ends."""
        self.views.append((route, view, _package(view)))

    def patterns(self, prefix: str = "", *, package: str | None = None) -> list[URLPattern]:
        """The routes of all packages or of one. Single views come first: fixed words."""
        single = [
            re_path(rf"^{prefix}{route}/?$", view)
            for route, view, owner in self.views
            if package in (None, owner)
        ]
        kept = self.registry
        self.registry = [row for row in kept if package in (None, _package(row[1]))]
        try:
            routed = self.get_urls()
        finally:
            self.registry = kept
        found: list[URLPattern] = [
            re_path(f"^{prefix}{pattern.pattern.regex.pattern.removeprefix('^')}", pattern.callback)
            for pattern in routed
            if isinstance(pattern, URLPattern)
        ]
        return [*single, *found]

    def actions(self) -> list[tuple[Any, set[str]]]:
        """Every view with the names of the actions (or methods) that it answers."""
        found: list[tuple[Any, set[str]]] = []
        for _prefix, viewset, _basename in self.registry:
            maps = [self.get_method_map(viewset, r.mapping) for r in self.get_routes(viewset)]
            found.append((viewset, {name for routes in maps for name in routes.values()}))
        for _route, view, _owner in self.views:
            owner = getattr(view, "view_class", getattr(view, "cls", view))
            methods = getattr(view, "actions", None)  # a viewset's as_view keeps its own map
            names = set(methods.values()) if methods else _methods(owner)
            found.append((owner, names))
        return found


def _methods(view: Any) -> set[str]:
    return {name for name in view.http_method_names if name != "options" and hasattr(view, name)}


def _package(view: Any) -> str:
    """The domain package that a view belongs to: `orders` for `ecommerce.orders.api`.

    A view that answers on another agent's port says so with `served_by`.
    """
    owner = getattr(view, "view_class", getattr(view, "cls", view))
    served_by: str | None = getattr(owner, "served_by", None)
    return served_by or owner.__module__.removeprefix("ecommerce.").split(".")[0]


platform = ApiRouter()  # /api/v1/…
coordinator = ApiRouter()  # /agents/…, /tasks/…
commerce = ApiRouter()  # /api/orders, … and the agents' own ports
