"""Every shown of the console opens, costs a constant number of queries and takes no regex."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from platform_site.common.models import ApiKey
from registry.services import agent_register
from tests.factories.anything import make_anything

pytestmark = pytest.mark.django_db

PAGES = list(admin.site._registry.values())
OF_OPERATORS = [shown for shown in PAGES if shown.model not in (User, Group)]
MAX_QUERIES = 15


def ids(shown):
    return shown.model._meta.label


def list_of(shown):
    meta = shown.model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


def page_of(row):
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(row.pk,))


def make_row(shown):
    if shown.model._meta.label == "registry.Agent":
        return agent_register(actor="test")
    return make_anything(shown.model)


@pytest.fixture
def signed_in(person):
    def sign_in(role="operator"):
        client = Client()
        client.force_login(person(f"console-{role}", role))
        return client

    return sign_in


@pytest.mark.parametrize("shown", OF_OPERATORS, ids=ids)
def test_a_list_opens_and_costs_the_same_for_two_rows_as_for_twelve(shown, signed_in):
    client = signed_in()
    make_row(shown)
    make_row(shown)
    with CaptureQueriesContext(connection) as few:
        response = client.get(list_of(shown))
    for _ in range(10):
        make_row(shown)

    with CaptureQueriesContext(connection) as many:
        again = client.get(list_of(shown))

    assert (response.status_code, again.status_code) == (200, 200)
    assert len(many) <= MAX_QUERIES, [query["sql"] for query in many]
    assert len(many) == len(few), [query["sql"] for query in many]


@pytest.mark.parametrize("shown", OF_OPERATORS, ids=ids)
def test_a_record_opens(shown, signed_in):
    row = make_row(shown)

    response = signed_in().get(page_of(row))

    assert response.status_code == 200
    assert "<main" in response.content.decode()


@pytest.mark.parametrize("shown", OF_OPERATORS, ids=ids)
def test_nobody_adds_changes_or_deletes_a_row_in_a_form(shown, signed_in):
    client, row = signed_in("admin"), make_row(shown)

    assert client.get(f"{list_of(shown)}add/").status_code == 403
    assert client.post(page_of(row), {}).status_code == 403
    assert (
        client.post(page_of(row).replace("/change/", "/delete/"), {"post": "yes"}).status_code
        == 403
    )
    assert shown.model._base_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("shown", PAGES, ids=ids)
def test_regular_expressions_and_odd_filters_are_refused(shown, signed_in):
    client, name = signed_in("admin"), shown.model._meta.pk.name
    odd = ("pk__regex=(a", f"{name}__iregex=.*", f"{name}__nonsense=1", "nonsense=1")

    for query in (*odd, f"{name}__gt__lt=x"):
        assert client.get(f"{list_of(shown)}?{query}").status_code == 400, query


@pytest.mark.parametrize("shown", PAGES, ids=ids)
def test_a_person_without_a_role_sees_nothing(shown, person):
    client = Client()
    client.force_login(person("bob", role=""))

    assert client.get(list_of(shown)).status_code == 403


@pytest.mark.parametrize("shown", [shown for shown in PAGES if shown not in OF_OPERATORS], ids=ids)
def test_people_and_roles_are_for_administrators(shown, signed_in):
    assert signed_in("operator").get(list_of(shown)).status_code == 403
    assert signed_in("admin").get(list_of(shown)).status_code == 200


def test_a_person_is_deactivated_never_deleted(signed_in, person):
    bob = person("bob", "user")

    response = signed_in("admin").post(f"/admin/auth/user/{bob.pk}/delete/", {"post": "yes"})

    assert response.status_code == 403
    assert User.objects.filter(pk=bob.pk).exists()


def test_a_viewer_reads_and_is_offered_no_action(signed_in):
    agent = agent_register(agent_id="hermes", actor="test")

    text = signed_in("readonly").get(page_of(agent)).content.decode()

    assert "hermes" in text
    assert "agent-draining" not in text


def test_the_sidebar_shows_only_what_one_may_open(signed_in):
    assert "/admin/auth/user/" in signed_in("admin").get("/admin/").content.decode()
    viewer = signed_in("readonly").get("/admin/").content.decode()
    assert "/admin/registry/agent/" in viewer
    assert "/admin/auth/user/" not in viewer
    assert "/admin/common/apikey/" not in viewer


def test_a_key_shows_neither_its_digest_nor_its_secret(signed_in):
    key = make_anything(ApiKey, digest="d" * 64, prefix="fd_abcde", name="for tests")

    text = signed_in().get(page_of(key)).content.decode()

    assert "fd_abcde" in text
    assert "d" * 64 not in text


def test_an_agents_name_is_text_and_never_markup(signed_in):
    payload = '<img src=x onerror="alert(1)">'
    agent = agent_register(
        agent_id="mallory", name=payload, endpoints={"http": "javascript:alert(1)"}, actor="x"
    )
    client = signed_in()

    for address in (page_of(agent), "/admin/registry/agent/", "/admin/", "/admin/messaging/event/"):
        text = client.get(address).content.decode()
        assert payload not in text, address
        assert 'href="javascript:' not in text, address


def test_open_mode_is_said_on_every_page(signed_in, settings):
    client = signed_in()
    assert "Open mode" not in client.get("/admin/").content.decode()
    settings.OPEN_API = True

    assert "Open mode" in client.get("/admin/").content.decode()
    assert "Open mode" in Client().get("/admin/login/").content.decode()


def test_signing_in_leads_to_the_control_room(person):
    person("alice")

    response = Client().post(
        "/admin/login/", {"username": "alice", "password": "correct horse battery"}
    )

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize(
    ("address", "directive"),
    [
        ("/admin/login/", "script-src 'self' 'unsafe-eval'"),
        ("/admin/login/", "style-src 'self' 'unsafe-inline'"),
        ("/health", "script-src 'self'"),
        ("/health", "style-src 'self'"),
        ("/health", "default-src 'none'"),
        ("/health", "frame-ancestors 'none'"),
    ],
)
def test_the_content_policy_is_strict_but_for_the_console(address, directive):
    policy = Client().get(address).headers["Content-Security-Policy"]

    assert directive in [part.strip() for part in policy.split(";")]
