"""API keys: issued once, stored as a digest, looked up by digest."""

import hashlib
import secrets
import string
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from platform_site.common.access import requires
from platform_site.common.audit import record
from platform_site.common.errors import Invalid
from platform_site.common.models import ApiKey
from platform_site.common.principals import Principal

ALPHABET = string.ascii_letters + string.digits
LIFETIME = timedelta(days=365)
USE_NOTED_EVERY = timedelta(minutes=1)
# Every request of a program asks this: written out, it costs a third of what the ORM's takes.
_FIND = """
    SELECT common_apikey.*, auth_user.username AS owner_name,
           auth_user.is_active AS owner_is_active, auth_user.is_superuser AS owner_is_superuser
    FROM common_apikey LEFT JOIN auth_user ON auth_user.id = common_apikey.owner_id
    WHERE common_apikey.digest = %s
"""
MIN_LENGTH = 24


def digest(secret: str) -> str:
    """SHA-256 of the whole key: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """`fd_` and 43 letters or digits, 256 random bits."""
    return "fd_" + "".join(secrets.choice(ALPHABET) for _ in range(43))


@requires("key:issue")
@transaction.atomic
def key_issue(
    *,
    name: str,
    owner: User | None = None,
    agent_id: str = "",
    role: str = "",
    scopes: list[str] | None = None,
    agent_pattern: str = "",
    secret: str = "",
    from_environment: bool = False,
    actor: str,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can read again. An agent's older keys are revoked."""
    if secret and len(secret) < MIN_LENGTH:
        raise Invalid(f"An API key has at least {MIN_LENGTH} characters.", field="secret")
    secret = secret or new_secret()
    if agent_id:
        live = ApiKey.objects.filter(agent_id=agent_id, revoked_at=None)
        live.update(revoked_at=timezone.now(), updated_at=timezone.now())
    key = ApiKey.objects.create(
        digest=digest(secret),
        prefix=secret[:8],
        name=name,
        owner=owner,
        agent_id=agent_id,
        role=role or ("agent" if agent_id else "" if owner else "api_user"),
        scopes=scopes or [],
        agent_pattern=agent_pattern,
        made_by=actor,
        from_environment=from_environment,
        expires_at=None if from_environment else timezone.now() + LIFETIME,
    )
    record(
        "security.key_issued",
        subject=key,
        actor=actor,
        name=name,
        prefix=key.prefix,
        agent_id=agent_id,
    )
    return key, secret


@requires("key:issue")
@transaction.atomic
def key_revoke(key: ApiKey, *, actor: str) -> ApiKey:
    """End a key: it counts at the next request. Revoking twice is no error."""
    now = timezone.now()
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now, updated_at=now):
        record("security.key_revoked", subject=key, actor=actor, name=key.name, prefix=key.prefix)
    key.refresh_from_db()
    return key


def key_principal(secret: str) -> Principal | None:
    """Whoever the key stands for, or None for an unknown, revoked or expired one."""
    key: Any = next(iter(ApiKey.objects.raw(_FIND, [digest(secret)])), None)
    now = timezone.now()
    if key is None or key.revoked_at or (key.expires_at and key.expires_at <= now):
        return None
    if key.owner_id and not key.owner_is_active:
        return None
    _note_use(key)
    common: dict[str, Any] = {"scopes": tuple(key.scopes), "key_id": key.pk, "via": "key"}
    if key.agent_id:
        return Principal("agent", key.agent_id, "agent", agent_id=key.agent_id, **common)
    if key.owner_id:
        return Principal("user", key.owner_name, key.role, user=_owner(key), **common)
    pattern = key.agent_pattern
    return Principal("service", key.name, key.role or "api_user", agent_pattern=pattern, **common)


def key_was_issued(secret: str) -> bool:
    """Whether the text is a key of ours, in force or not."""
    return ApiKey.objects.filter(digest=digest(secret)).exists()


def agent_owns_key(agent_id: str) -> bool:
    """Whether acting as this agent needs its own key."""
    return ApiKey.objects.filter(agent_id=agent_id).exists()


def _owner(key: Any) -> User:
    """The owner as far as the key's query read it; what is asked beyond that is read then."""
    known = {
        "id": key.owner_id,
        "username": key.owner_name,
        "is_active": bool(key.owner_is_active),
        "is_superuser": bool(key.owner_is_superuser),
    }
    # from_db takes the values in the order of the columns, whatever the order of the names.
    names = [column.attname for column in User._meta.concrete_fields if column.attname in known]
    return User.from_db(key._state.db, names, [known[name] for name in names])


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
