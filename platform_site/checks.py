"""System checks: unsafe combinations do not start."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.urls import get_resolver

from platform_site.common.api import commerce, coordinator, platform

SAMPLES = ("your-secret-key", "change-me", "changeme", "secret", "replace-me", "django-insecure-")
MIN_SECRET_KEY, MIN_JWT_SECRET, MIN_API_KEY, MIN_PASSWORD = 50, 32, 24, 12


def _refused(number: int, message: str, hint: str) -> checks.Error:
    return checks.Error(message, hint=hint, id=f"fleetdesk.E{number:03}")


@checks.register(checks.Tags.security)
def exposure(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """What may not be set where others can reach us."""
    if not settings.EXPOSED:
        return list(_weak_jwt_secret_on_loopback())
    return [
        *_modes(),
        *_secrets(),
        *_names(),
        *_processes(),
    ]


@checks.register(checks.Tags.security)
def secret_files(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Generated secrets are for this user only."""
    folder: Path = settings.DATA / "secrets"
    loose = [path for path in folder.glob("*") if path.stat().st_mode & 0o077]
    if not loose:
        return []
    message = f"{loose[0]} can be read by other users."
    return [_refused(9, message, f"chmod 600 {loose[0]}")]


@checks.register(checks.Tags.security)
def undeclared_routes(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """A route that declares no permission is an error, not an open door."""
    _ = get_resolver().url_patterns  # loads all views, which register their routes
    found: list[checks.CheckMessage] = []
    for router in (platform, coordinator, commerce):
        for view, actions in router.actions():
            for action in sorted(actions - set(view.access)):
                name = f"{view.__module__}.{view.__name__}.{action}"
                hint = f"Name its permission or its service in {view.__name__}.access."
                found.append(_refused(10, f"{name} declares no permission.", hint))
    return found


def _modes() -> Iterable[checks.CheckMessage]:
    if settings.OPEN_API:
        yield _refused(
            1,
            "OPEN_API=1 lets everybody in, and this installation can be reached from elsewhere.",
            "Unset OPEN_API, or set HOST=127.0.0.1 without TRUSTED_PROXIES.",
        )
    if settings.DEBUG:
        yield _refused(2, "DEBUG=1 shows our inside to strangers.", "Unset DEBUG.")


def _secrets() -> Iterable[checks.CheckMessage]:
    on_postgresql = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    wanted = (("SECRET_KEY", MIN_SECRET_KEY), ("JWT_SECRET", MIN_JWT_SECRET))
    for name, length in wanted:
        if is_weak(getattr(settings, name), length):
            message = f"{name} is short or taken from a document."
            yield _refused(3, message, f"Set {name} to {length} random characters or more.")
    if on_postgresql and not settings.SECRET_KEY_GIVEN:
        yield _refused(
            3,
            "SECRET_KEY is generated on this machine, but with PostgreSQL several may serve.",
            "Set SECRET_KEY in the environment of all of them.",
        )
    key, password = settings.FLEETDESK_API_KEY, settings.FLEETDESK_ADMIN_PASSWORD
    if key and len(key) < MIN_API_KEY:
        yield _refused(
            4, "FLEETDESK_API_KEY is too short.", f"Use {MIN_API_KEY} characters or more."
        )
    if password and len(password) < MIN_PASSWORD:
        yield _refused(
            4, "FLEETDESK_ADMIN_PASSWORD is too short.", f"Use {MIN_PASSWORD} characters or more."
        )


def _names() -> Iterable[checks.CheckMessage]:
    for name in ("ALLOWED_HOSTS", "ALLOWED_ORIGINS"):
        if "*" in getattr(settings, name):
            yield _refused(5, f"{name} holds *, which is everybody.", f"Name each in {name}.")
    if {"0.0.0.0/0", "::/0"} & set(settings.TRUSTED_PROXIES):
        yield _refused(
            6, "TRUSTED_PROXIES trusts every address.", "Name the networks of your proxies."
        )


def _processes() -> Iterable[checks.CheckMessage]:
    on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if settings.WEB_PROCESSES > 1 and (on_sqlite or not settings.REDIS_URL):
        yield _refused(
            7,
            "Several web processes need PostgreSQL and Redis.",
            "Set DATABASE_URL and REDIS_URL, or WEB_PROCESSES=1.",
        )
    if "synchronous_commit=off" in str(settings.DATABASES["default"].get("OPTIONS", "")):
        yield _refused(8, "synchronous_commit=off loses what we acknowledged.", "Remove it.")


def _weak_jwt_secret_on_loopback() -> Iterable[checks.CheckMessage]:
    if is_weak(settings.JWT_SECRET, MIN_JWT_SECRET):
        yield checks.Warning(
            "JWT_SECRET is short or taken from a document.",
            hint=f"Set {MIN_JWT_SECRET} random characters; it will not start so when exposed.",
            id="fleetdesk.W004",
        )


def is_weak(secret: str, length: int) -> bool:
    """Whether a secret is too short or looks like one from a document."""
    return len(secret) < length or any(secret.lower().startswith(sample) for sample in SAMPLES)
