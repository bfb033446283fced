"""Which part of a list a request asks for."""

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

LARGEST = 1000


class _Window(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, required=False)
    offset = serializers.IntegerField(min_value=0, max_value=10**12, required=False)
    page = serializers.IntegerField(min_value=1, max_value=10**9, required=False)


@dataclass(frozen=True)
class Window:
    """The rows from `start` up to `stop`."""

    start: int
    limit: int

    @property
    def stop(self) -> int:
        return self.start + self.limit

    def envelope(self, total: int) -> dict[str, int]:
        """The `pagination` of the Commerce API."""
        pages = -(-total // self.limit)
        page = self.start // self.limit + 1
        return {"page": page, "limit": self.limit, "total": total, "pages": pages}

    def headers(self, request: Request, total: int) -> dict[str, str]:
        """`X-Total-Count` and `Link` of the Platform API."""
        links = []
        if self.stop < total:
            links.append(f'<{self._url(request, self.stop)}>; rel="next"')
        if self.start:
            links.append(f'<{self._url(request, max(0, self.start - self.limit))}>; rel="prev"')
        headers = {"X-Total-Count": str(total)}
        return {**headers, "Link": ", ".join(links)} if links else headers

    def _url(self, request: Request, offset: int) -> str:
        query = request.query_params.copy()
        query["limit"], query["offset"] = str(self.limit), str(offset)
        return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def platform_window(request: Request, default: int = LARGEST) -> Window:
    """`limit` and `offset`; a limit over 1000 is cut, one below 1 is 422."""
    asked = _asked(request)
    return Window(asked.get("offset", 0), min(asked.get("limit", default), LARGEST))


def commerce_window(request: Request, default: int, largest: int) -> Window:
    """`page` and `limit`, or `offset` instead of the page."""
    asked = _asked(request)
    limit = min(asked.get("limit", default), largest)
    start = asked.get("offset", (asked.get("page", 1) - 1) * limit)
    return Window(start, limit)


def _asked(request: Request) -> dict[str, int]:
    names = ("limit", "offset", "page")
    form = _Window(data={n: request.query_params[n] for n in names if n in request.query_params})
    form.is_valid(raise_exception=True)
    fields: dict[str, int] = form.validated_data
    return fields
