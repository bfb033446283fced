"""The same request twice is one change: `Idempotency-Key`."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

import orjson
from django.db import connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.common.errors import Invalid, Refusal
from platform_site.common.formats import JSONRenderer
from platform_site.common.models import IdempotencyKey
from platform_site.common.principals import Principal

T = TypeVar("T")
MAX_LENGTH = 255
REPLAY_HEADER = "Idempotent-Replay"


class KeyReused(Refusal):
    """The key came before with another body."""

    status = 422
    code = "idempotency_key_reused"


class InFlight(Refusal):
    """The first request with this key is still running."""

    code = "idempotency_key_in_flight"
    retry_after_s = 1


def once(
    request: Request, principal: Principal, answer: Callable[[], Response], *, key: str = ""
) -> HttpResponseBase:
    """Answer the request once for each key; a repeat gets the stored answer of the first.

    The key's row is part of the change's transaction: both exist or neither. `key` is one that came
    in the body; the header wins.
    """
    key = _key(request) or key
    if not key:
        return answer()
    with transaction.atomic():
        row = _claim(request, principal, key)
        if row.answer_status is not None:
            return _replay(row)
        return _keep(row, request, answer())


def once_then(
    request: Request,
    principal: Principal,
    change: Callable[[], T],
    answer: Callable[[T], Response],
) -> HttpResponseBase:
    """The same in two steps: `change` is committed with the key, then `answer` may wait.

    A repeat that comes before the first answer runs `change` again, which has to know its key.
    Of several answers the first one written is everybody's.
    """
    key = _key(request)
    if not key:
        return answer(change())
    with transaction.atomic():
        row = _claim(request, principal, key)
        if row.answer_status is not None:
            return _replay(row)
        changed = change()
    response = answer(changed)
    with transaction.atomic():
        row = IdempotencyKey.objects.select_for_update().get(pk=row.pk)
        return _replay(row) if row.answer_status is not None else _keep(row, request, response)


def lasting_key(request: Request, principal: Principal) -> str:
    """The request's key as a ledger keeps it for ever; a new one where the client sent none."""
    key = _key(request) or uuid4().hex
    return hashlib.sha256(f"{principal.actor}\n{key}".encode()).hexdigest()


def _key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > MAX_LENGTH:
        raise Invalid(
            f"Idempotency-Key has at most {MAX_LENGTH} characters.", field="Idempotency-Key"
        )
    return key


def _keep(row: IdempotencyKey, request: Request, response: Response) -> Response:
    body = JSONRenderer().render(response.data, context={"request": request})
    row.answer_status, row.answer = response.status_code, body.decode()
    row.save(update_fields=["answer_status", "answer"])
    return response


def _replay(row: IdempotencyKey) -> HttpResponse:
    """Byte for byte what the first caller got."""
    return HttpResponse(
        row.answer,
        content_type="application/json",
        status=row.answer_status,
        headers={REPLAY_HEADER: "true"},
    )


def _claim(request: Request, principal: Principal, key: str) -> IdempotencyKey:
    """The key's row, new or as the first request left it. Raises InFlight, KeyReused."""
    actor, route = principal.actor[:255], f"{request.method} {request.path}"[:255]
    if connection.vendor == "postgresql":
        lock = hashlib.sha256(f"{actor}\n{route}\n{key}".encode()).digest()[:8]
        with connection.cursor() as cursor:
            number = int.from_bytes(lock, "big", signed=True)
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            if not cursor.fetchone()[0]:
                raise InFlight("The first request with this Idempotency-Key is still running.")
    body_hash = _body_hash(request)
    row, _ = IdempotencyKey.objects.get_or_create(
        principal=actor, route=route, key=key, defaults={"body_hash": body_hash}
    )
    if row.body_hash != body_hash:
        raise KeyReused("This Idempotency-Key was used with another body; take a new key.")
    return row


def _body_hash(request: Request) -> str:
    data: Any = request.data
    return hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()
