"""Fixtures that every test knows: alice is an operator, bob has no business here."""

import os
from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from platform_site.common.access import ROLES
from platform_site.common.keys import key_issue


@pytest.fixture
def person(db) -> Callable[..., User]:
    """`person("alice", role="operator")`: a user in the group of that role."""

    def make(name: str = "alice", role: str = "operator") -> User:
        user = User.objects.filter(username=name).first() or User.objects.create_user(
            name, password="correct horse battery", is_staff=True, is_superuser=role == "admin"
        )
        if role in ROLES and role != "admin":
            user.groups.add(Group.objects.get_or_create(name=role)[0])
        return user

    return make


@pytest.fixture
def client_as(person) -> Callable[..., APIClient]:
    """`client_as("readonly")`: a client of the API with a key of that role."""

    def make(role: str = "operator", *, agent_id: str = "") -> APIClient:
        client = APIClient()
        owner = None if agent_id or role in ("api_user", "agent") else person(f"a-{role}", role)
        _, secret = key_issue(
            name=role, owner=owner, role="" if owner else role, agent_id=agent_id, actor="test"
        )
        client.credentials(HTTP_X_API_KEY=secret)
        client.default_format = "json"
        return client

    return make


@pytest.fixture
def api(client_as) -> APIClient:
    """alice's client: an operator."""
    return client_as("operator")


@pytest.fixture
def stranger(db) -> APIClient:
    """A client without any credential."""
    return APIClient()


@pytest.fixture
def run_agents() -> Callable[[], int]:
    """Let the built-in agents work until nothing is left to do; no sleeping."""
    from ecommerce.registration import register_builtin_agents  # noqa: PLC0415 (layers above)
    from tasks.runner import drain  # noqa: PLC0415

    def work() -> int:
        register_builtin_agents()
        return drain()

    return work


def pytest_collection_modifyitems(config, items):
    """On SQLite what only PostgreSQL can do is not asked."""
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        return
    asked = [item for item in items if item.get_closest_marker("postgresql") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in asked])
    items[:] = asked


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Under REQUIRE_ALL=1 a skip is a failure: what could not be tried is not proved."""
    report = yield
    if os.environ.get("REQUIRE_ALL") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped under REQUIRE_ALL=1: {call.excinfo.value}"
    return report
