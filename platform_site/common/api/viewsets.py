"""Base views: shape in, one service, shape out."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from platform_site.common.access import word_of
from platform_site.common.api import pages
from platform_site.common.api.serializers import number_in
from platform_site.common.errors import Missing
from platform_site.common.idempotency import lasting_key, once, once_then
from platform_site.common.principals import Principal

T = TypeVar("T")
Access = dict[str, str | Callable[..., Any] | None]


class Edge:
    """What API views share. `access` names the permission (or the service) of each action."""

    access: Access = {}
    request: Any

    @property
    def principal(self) -> Principal:
        """Who calls."""
        principal: Principal = self.request.auth
        return principal

    @property
    def actor(self) -> str:
        """The caller's name as events carry it."""
        return self.principal.actor

    def validated(self, shape: type[serializers.Serializer[Any]], **kwargs: Any) -> dict[str, Any]:
        """The body in the shape of an Input; 422 where it does not fit."""
        data = self.request.data
        if not isinstance(data, (dict, list)):
            raise serializers.ValidationError("The body must be a JSON object.")
        form = shape(data=data, **kwargs)
        form.is_valid(raise_exception=True)
        return form.validated_data

    def query(self, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The query string in the shape of an Input; 422 where it does not fit."""
        form = shape(data=self.request.query_params.dict())
        form.is_valid(raise_exception=True)
        fields: dict[str, Any] = form.validated_data
        return fields

    def may(self, permission: str | Callable[..., Any]) -> bool:
        """Whether the caller holds a further permission, for what an answer shows."""
        return self.principal.may(word_of(permission))

    def once(self, answer: Callable[[], Response], *, key: str = "") -> HttpResponseBase:
        """Answer once for each `Idempotency-Key`, in the header or as `key` from the body."""
        return once(self.request, self.principal, answer, key=key)

    def once_then(
        self, change: Callable[[], T], answer: Callable[[T], Response]
    ) -> HttpResponseBase:
        """The same where the answer waits for what the committed change has started."""
        return once_then(self.request, self.principal, change, answer)

    def lasting_key(self) -> str:
        """The key under which a ledger remembers this request for ever."""
        return lasting_key(self.request, self.principal)


class ApiView(Edge, APIView):
    """A single route; `access` is keyed by method name in lower case."""


class ApiViewSet(Edge, GenericViewSet[Any]):
    """The routes of one model; `access` is keyed by action name."""

    pagination_class = None
    filter_backends: list[Any] = []
    lookup_value_regex = "[^/]+"
    not_found = "Not found"

    def get_object(self) -> Any:
        """The row that the address names. Raises Missing (404)."""
        row = self.find(self.kwargs[self.lookup_url_kwarg or self.lookup_field])
        if row is None:
            raise Missing(self.not_found)
        return row

    def find(self, key: str) -> Any:
        """The row by id; a domain whose people type numbers accepts these here too."""
        number = number_in(key)
        return None if number is None else self.get_queryset().filter(pk=number).first()

    def respond(self, row: Any, status_code: int = status.HTTP_200_OK) -> Response:
        """One row in the shape of the API, read anew so that related rows are right."""
        fresh = self.get_queryset().filter(pk=row.pk).first() or row
        return Response(self.get_serializer(fresh).data, status_code)


class ReadViewSet(ApiViewSet):
    """Commerce API: list and detail in its envelope, `{"<plural>": […], "pagination": {…}}`."""

    plural = "rows"
    default_limit = 20
    max_limit = 100
    sortable: dict[str, str] = {}  # word in sort_by -> column

    def list(self, request: Request) -> Response:
        """The rows that the filters leave, one page of them."""
        rows = self.sorted(self.filtered(self.get_queryset()))
        return self.page(rows)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One row."""
        return Response(self.get_serializer(self.get_object()).data)

    def filtered(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows after the filters of the query string; an unknown value matches nothing."""
        return rows

    def sorted(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows in the order of `sort_by` and `sort_order`."""
        column = self.sortable.get(self.request.query_params.get("sort_by", ""))
        if column is None:
            return rows
        falling = self.request.query_params.get("sort_order", "desc") != "asc"
        return rows.order_by(f"-{column}" if falling else column, "-pk")

    def dressed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what an answer shows of other tables; counting them needs none of it."""
        return rows

    def page(self, rows: QuerySet[Any], plural: str | None = None) -> Response:
        """One page of `rows` in the envelope."""
        window = pages.commerce_window(self.request, self.default_limit, self.max_limit)
        total = rows.order_by().count()
        chosen = self.dressed(rows)[window.start : window.stop]
        shown = self.get_serializer(chosen, many=True).data
        return Response({plural or self.plural: shown, "pagination": window.envelope(total)})


class PlatformViewSet(ApiViewSet):
    """Platform API: bare lists with `Link` and `X-Total-Count`."""

    def page(self, rows: QuerySet[Any]) -> Response:
        """One page of `rows` as a bare list."""
        window = pages.platform_window(self.request)
        total = rows.order_by().count()
        shown = self.get_serializer(rows[window.start : window.stop], many=True).data
        return Response(shown, headers=window.headers(self.request, total))
