"""The content policy of every answer, relaxed by path: the login page passes no admin view."""

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


class ContentPolicy(CSPMiddleware):
    """Strict everywhere; `CONTENT_POLICY_BY_PATH` adds what a page needs."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        for prefix, directives in settings.CONTENT_POLICY_BY_PATH.items():
            if request.path_info.startswith(prefix):
                parts.update = {**directives, **(parts.update or {})}
        return parts
