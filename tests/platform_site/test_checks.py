"""Unsafe combinations do not start (S29). ASVS 13.4, API8:2023."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks

ROOT = Path(__file__).resolve().parents[2]
SAFE = {
    "HOST": "0.0.0.0",  # noqa: S104 (the point of the test)
    "ALLOWED_HOSTS": "fleetdesk.example",
    "SECRET_KEY": "kq7-Zr4_" * 8,
    "JWT_SECRET": "j" * 40,
    "ALLOW_HTTP": "0",
}


def check(tmp_path, **environment):
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "FLEETDESK_DATA": str(tmp_path), **SAFE, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_safe_exposed_installation_starts(tmp_path):
    result = check(tmp_path)

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("number", "unsafe"),
    [
        ("E001", {"OPEN_API": True}),
        ("E002", {"DEBUG": True}),
        ("E003", {"SECRET_KEY": "short"}),
        ("E003", {"JWT_SECRET": "your-secret-key"}),
        ("E004", {"FLEETDESK_API_KEY": "too-short"}),
        ("E004", {"FLEETDESK_ADMIN_PASSWORD": "short"}),
        ("E005", {"ALLOWED_HOSTS": ["*"]}),
        ("E005", {"ALLOWED_ORIGINS": ["*"]}),
        ("E006", {"TRUSTED_PROXIES": ["0.0.0.0/0"]}),
        ("E007", {"WEB_PROCESSES": 2, "REDIS_URL": ""}),
    ],
)
def test_an_unsafe_combination_is_refused_with_a_hint(settings, number, unsafe):
    for name, value in {"EXPOSED": True, **unsafe}.items():
        setattr(settings, name, value)

    found = [message for message in run_checks() if message.id == f"fleetdesk.{number}"]

    assert found
    assert found[0].hint


def test_a_generated_key_beside_postgresql_is_refused(tmp_path):
    database = "postgres://postgres@127.0.0.1/nowhere"

    result = check(tmp_path, SECRET_KEY="", DATABASE_URL=database)

    assert result.returncode == 1
    assert "fleetdesk.E003" in result.stderr


def test_secrets_that_others_can_read_are_refused(tmp_path):
    check(tmp_path)
    (tmp_path / "secrets").mkdir(exist_ok=True)
    loose = tmp_path / "secrets" / "provider"
    loose.write_text("x")
    loose.chmod(0o644)

    assert "fleetdesk.E009" in check(tmp_path).stderr


def test_generated_secrets_are_random_and_for_this_user_only(tmp_path):
    environment = {"SECRET_KEY": "", "JWT_SECRET": ""}
    check(tmp_path / "one", **environment)
    check(tmp_path / "two", **environment)

    first, second = ((tmp_path / name / "secrets" / "jwt_secret") for name in ("one", "two"))
    assert first.read_text() != second.read_text()
    assert len(first.read_text()) >= 32
    assert first.stat().st_mode & 0o777 == 0o600
    assert first.parent.stat().st_mode & 0o777 == 0o700
