"""The same request twice is one change: `Idempotency-Key` (engine.md 4.9, security.md 7)."""

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from django.db import connection, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.common import json
from platform_site.common.errors import Invalid, Refusal
from platform_site.common.models import IdempotencyKey
from platform_site.common.principals import Principal

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


def once(request: Request, principal: Principal, answer: Callable[[], Response]) -> Response:
    """Answer the request once for each key; a repeat gets the stored answer of the first.

    The key's row is part of the change's transaction: both exist or neither.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return answer()
    if len(key) > MAX_LENGTH:
        raise Invalid(
            f"Idempotency-Key has at most {MAX_LENGTH} characters.", field="Idempotency-Key"
        )
    body_hash = _body_hash(request)
    with transaction.atomic():
        row = _claim(principal.actor, f"{request.method} {request.path}", key, body_hash)
        if row.answer_status is not None:
            if row.body_hash != body_hash:
                raise KeyReused("This Idempotency-Key was used with another body; take a new key.")
            return Response(row.answer, row.answer_status, headers={REPLAY_HEADER: "true"})
        response = answer()
        row.answer_status = response.status_code
        row.answer = orjson.loads(json.dumps(response.data))
        row.save(update_fields=["answer_status", "answer"])
    return response


def _claim(principal: str, route: str, key: str, body_hash: str) -> IdempotencyKey:
    """The key's row, new or as the first request left it. Raises InFlight."""
    if connection.vendor == "postgresql":
        lock = hashlib.sha256(f"{principal}\n{route}\n{key}".encode()).digest()[:8]
        with connection.cursor() as cursor:
            number = int.from_bytes(lock, "big", signed=True)
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            if not cursor.fetchone()[0]:
                raise InFlight("The first request with this Idempotency-Key is still running.")
    row, _ = IdempotencyKey.objects.get_or_create(
        principal=principal[:255], route=route[:255], key=key, defaults={"body_hash": body_hash}
    )
    return row


def _body_hash(request: Request) -> str:
    data: Any = request.data
    return hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()
