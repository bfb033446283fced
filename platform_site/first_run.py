"""The first start from nothing: an administrator, an operator's key, the rows of the domains."""

import secrets
from dataclasses import dataclass
from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.module_loading import module_has_submodule

from ecommerce.registration import register_builtin_agents
from platform_site.common.errors import Invalid
from platform_site.common.keys import digest, key_issue, key_revoke
from platform_site.common.models import ApiKey

ACTOR = "system"
ADMIN, KEY_NAME = "admin", "first run"
MIN_PASSWORD = 12


@dataclass(frozen=True)
class FirstRun:
    """What the first start made up and nobody can read again: empty where nothing was made up."""

    password: str
    key: str


def first_run() -> FirstRun:
    """Make what is missing, leave what is there. Raises Invalid for a password or key too short."""
    made = FirstRun(password=admin_ensure(), key=operator_key_ensure())
    register_builtin_agents()
    for config in apps.get_app_configs():
        if config.name.startswith("ecommerce.") and module_has_submodule(
            config.module, "first_run"
        ):
            import_module(f"{config.name}.first_run").ensure(actor=ACTOR)
    return made


@transaction.atomic
def admin_ensure() -> str:
    """The user `admin`; returns its password if it was made up, never one that somebody chose."""
    if User.objects.filter(is_superuser=True).exists():
        return ""
    chosen = settings.FLEETDESK_ADMIN_PASSWORD
    if chosen and len(chosen) < MIN_PASSWORD:
        raise Invalid(f"FLEETDESK_ADMIN_PASSWORD has at least {MIN_PASSWORD} characters.")
    made_up = "" if chosen else secrets.token_urlsafe(15)
    User.objects.create_superuser(ADMIN, password=chosen or made_up)
    return made_up


@transaction.atomic
def operator_key_ensure() -> str:
    """The operator's key; returns it if it was made up. A new FLEETDESK_API_KEY ends the old."""
    chosen = settings.FLEETDESK_API_KEY
    if chosen:
        _key_from_environment(chosen)
        return ""
    if ApiKey.objects.filter(name=KEY_NAME).exists():
        return ""
    _, secret = key_issue(name=KEY_NAME, role="operator", actor=ACTOR)
    return secret


def _key_from_environment(secret: str) -> None:
    for other in ApiKey.objects.filter(from_environment=True, revoked_at=None).exclude(
        digest=digest(secret)
    ):
        key_revoke(other, actor=ACTOR)
    known = ApiKey.objects.filter(digest=digest(secret)).first()
    if known is None:
        key_issue(name=KEY_NAME, role="operator", secret=secret, from_environment=True, actor=ACTOR)
    elif known.revoked_at:
        raise Invalid("The key in FLEETDESK_API_KEY was revoked; choose another one.")
