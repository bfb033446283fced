"""The commands of the house: the first start, rights, what runs where."""

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from ecommerce.agents import AGENTS
from messaging.models import Event
from platform_site.common import access
from platform_site.common.models import ApiKey
from platform_site.first_run import first_run
from platform_site.server import Door, PortTaken, bind, side_doors
from registry.models import Agent

ROOT = Path(__file__).resolve().parents[1]
CHOSEN = "fd_chosen-by-the-operator-1"


def said(*command, **options):
    """What a command prints."""
    out = StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_the_first_start_prints_password_and_key_once_and_keeps_only_hashes():
    text = said("first_run")

    password = re.search(r"Password +(\S+)", text)[1]
    key = re.search(r"API key +(fd_\w+)", text)[1]
    admin = User.objects.get(username="admin")
    assert admin.check_password(password)
    assert admin.is_superuser
    assert ApiKey.objects.get(name="first run").role == "operator"
    assert not ApiKey.objects.filter(digest=key).exists()
    assert APIClient().get("/api/v1/agents", HTTP_X_API_KEY=key).status_code == 200
    assert said("first_run") == ""


@pytest.mark.django_db
def test_every_first_start_makes_up_other_secrets():
    first = first_run()
    User.objects.all().delete()
    ApiKey.objects.all().delete()

    second = first_run()

    assert first.password != second.password
    assert first.key != second.key


@pytest.mark.django_db
def test_chosen_secrets_are_taken_and_never_printed(settings):
    settings.FLEETDESK_ADMIN_PASSWORD = "correct horse battery"
    settings.FLEETDESK_API_KEY = CHOSEN

    text = said("first_run")

    assert text == ""
    assert User.objects.get(username="admin").check_password("correct horse battery")
    assert APIClient().get("/api/v1/agents", HTTP_X_API_KEY=CHOSEN).status_code == 200


@pytest.mark.django_db
def test_a_changed_key_of_the_environment_ends_the_one_before(settings):
    settings.FLEETDESK_API_KEY = CHOSEN
    said("first_run")
    settings.FLEETDESK_API_KEY = "fd_chosen-by-the-operator-2"

    said("first_run")

    client = APIClient()
    assert client.get("/api/v1/agents", HTTP_X_API_KEY=CHOSEN).status_code == 401
    changed = settings.FLEETDESK_API_KEY
    assert client.get("/api/v1/agents", HTTP_X_API_KEY=changed).status_code == 200


@pytest.mark.django_db
def test_a_key_of_the_environment_that_was_revoked_stays_revoked(settings):
    settings.FLEETDESK_API_KEY = CHOSEN
    said("first_run")
    settings.FLEETDESK_API_KEY = "fd_chosen-by-the-operator-2"
    said("first_run")
    settings.FLEETDESK_API_KEY = CHOSEN

    with pytest.raises(CommandError, match="was revoked; choose another one"):
        said("first_run")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"), [("FLEETDESK_ADMIN_PASSWORD", "short"), ("FLEETDESK_API_KEY", "fd_short")]
)
def test_short_secrets_are_refused_and_nothing_is_made(settings, name, value):
    setattr(settings, name, value)

    with pytest.raises(CommandError, match="characters"):
        said("first_run")

    assert not ApiKey.objects.exists()
    assert not Agent.objects.exists()


@pytest.mark.django_db
def test_the_agents_of_the_table_are_registered_by_the_first_start():
    first_run()

    assert set(Agent.objects.values_list("agent_id", flat=True)) == {s.agent_id for s in AGENTS}


@pytest.mark.django_db
def test_the_groups_hold_what_the_matrix_says():
    said("access_sync")

    roles = set(access.ROLES) - {"admin"}
    assert set(Group.objects.values_list("name", flat=True)) == roles
    alice, bob = User.objects.create_user("alice"), User.objects.create_user("bob")
    alice.groups.add(Group.objects.get(name="operator"))
    bob.groups.add(Group.objects.get(name="readonly"))
    assert alice.has_perm("tasks.task_redrive")
    assert alice.has_perm("access.task:redrive")
    assert not bob.has_perm("tasks.task_redrive")
    assert bob.has_perm("access.task:view")


@pytest.mark.django_db
def test_rights_are_synchronised_again_without_a_change_and_lose_what_is_gone(settings):
    said("access_sync")
    services = Permission.objects.filter(content_type__model="service")
    count = services.count()
    assert count == len(access.MATRIX) + len(access.SERVICES)

    assert said("access_sync") == "Permissions: 0 added, 0 removed.\n"

    first = services.first()
    Permission.objects.create(
        content_type=first.content_type, codename="forgotten", name="Of a service that is gone"
    )
    assert said("access_sync") == "Permissions: 0 added, 1 removed.\n"


@pytest.mark.django_db
def test_the_list_of_agents_names_ports_and_what_is_not_built_yet():
    lines = said("run_agents", list=True).splitlines()

    assert len(lines) == len(AGENTS) + 1
    payment = next(line for line in lines if " payment " in line)
    assert payment.split()[0] == "8004"
    assert "not built yet" in next(line for line in lines if " quality " in line)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("juggler", "There is no agent 'juggler'"), ("quality", "is not built yet")],
)
def test_an_agent_that_cannot_run_is_refused_with_a_sentence(name, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("run_agents", only=name)
    with pytest.raises(CommandError, match=sentence):
        call_command("run_agent", name)


def test_a_taken_port_is_not_shared():
    first = bind(Door(0, "127.0.0.1", "test"))
    port = first.getsockname()[1]

    with first, pytest.raises(PortTaken, match=f"Port {port} on 127.0.0.1 cannot be opened"):
        bind(Door(port, "127.0.0.1", "test"))


def test_only_the_gateway_follows_host_among_the_side_doors(settings):
    settings.HOST = "0.0.0.0"  # noqa: S104

    hosts = {door.port: door.host for door in side_doors()}

    assert hosts.pop(8100) == "0.0.0.0"  # noqa: S104
    assert set(hosts.values()) == {"127.0.0.1"}
    assert 9001 in hosts


def test_with_another_port_the_order_agent_keeps_its_own(settings):
    settings.PORT = 8080

    assert 8000 in {door.port for door in side_doors()}


def test_without_agent_ports_there_is_one_door(settings):
    settings.AGENT_PORTS = False

    assert side_doors() == []


def test_every_variable_of_the_settings_stands_in_the_example():
    code = (ROOT / "platform_site/settings.py").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', code)) | {"API_PORT"}

    example = (ROOT / ".env.example").read_text()

    assert {
        name for name in names if not re.search(rf"^(# )?{name}=", example, re.MULTILINE)
    } == set()


def test_a_server_without_a_database_says_what_to_do(tmp_path):
    process = subprocess.run(
        [sys.executable, ROOT / "manage.py", "serve"],
        env={
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            "DJANGO_SETTINGS_MODULE": "platform_site.settings",
            "FLEETDESK_DATA": str(tmp_path),
            "AGENT_PORTS": "0",
            "PORT": "0",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert process.returncode == 1
    assert "Run `python manage.py setup` first." in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.django_db
def test_the_first_key_leaves_an_audit_event():
    first_run()

    assert Event.objects.filter(type="security.key_issued", actor="system").count() == 1
