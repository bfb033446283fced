"""JWT that clients sign themselves with `JWT_SECRET`."""

import math
import time
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth.models import User

from platform_site.common.keys import agent_owns_key
from platform_site.common.principals import Principal

LEEWAY_S = 30
OUR_ISSUER = "fleetdesk"
MAX_LENGTH = 8192


def token_principal(token: str) -> Principal | None:
    """Whoever the token names, or None if it is not good.

    `sub` is a user's name, `agent:<id>` for an agent without a key of its own, or any other word: a
    service with the role `api_user`.
    """
    claims = _claims(token)
    if claims is None:
        return None
    subject: str = claims["sub"]
    if subject.startswith("agent:"):
        agent_id = subject.removeprefix("agent:")
        if not agent_id or agent_owns_key(agent_id):
            return None
        return Principal("agent", agent_id, "agent", agent_id=agent_id, via="jwt")
    user = User.objects.filter(username=subject).first()
    if user is not None:
        return _user(user)
    if settings.JWT_UNKNOWN_SUB == "refuse":
        return None
    return Principal("service", subject, settings.JWT_UNKNOWN_SUB, via="jwt")


def is_ours(token: str) -> bool:
    """Whether our secret signed the token, in force or not: it never turns anonymous."""
    try:
        jwt.decode(
            token,
            settings.JWT_SECRET,
            algorithms=["HS256"],
            options={"verify_exp": False, "verify_aud": False},
        )
    except (jwt.PyJWTError, ValueError):
        return False
    return True


def _user(user: User) -> Principal | None:
    if not user.is_active:
        return None
    # Who holds the secret can name anybody: an administrator's name is worth JWT_MAX_ROLE.
    role = settings.JWT_MAX_ROLE if user.is_superuser else ""
    return Principal("user", user.get_username(), role, user=user, via="jwt")


def _claims(token: str) -> dict[str, Any] | None:
    if len(token) > MAX_LENGTH or token.count(".") != 2:
        return None
    try:
        claims = jwt.decode(
            token,
            settings.JWT_SECRET,
            algorithms=["HS256"],
            options={"require": ["exp", "sub"], "verify_aud": False},
            leeway=LEEWAY_S,
        )
    except (jwt.PyJWTError, ValueError, OverflowError):
        return None
    expires = claims["exp"]
    if not isinstance(expires, (int, float)) or not math.isfinite(expires):
        return None
    too_far = expires > time.time() + settings.JWT_MAX_AGE_H * 3600 + LEEWAY_S
    return None if too_far or claims.get("iss") == OUR_ISSUER or not claims["sub"] else claims
