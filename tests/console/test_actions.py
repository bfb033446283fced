"""Every button of the console: shown by GET, pressed by POST with token and right only."""

import pytest
from django.contrib import admin
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from messaging.models import Event
from platform_site.common.admin import ReadOnlyAdmin, ServiceAction
from platform_site.common.admin.checks import check_page
from platform_site.common.keys import key_issue
from platform_site.common.models import ApiKey
from registry.models import Agent
from registry.services import agent_overlay_set, agent_register
from tests.console.test_pages import make_row, page_of

pytestmark = pytest.mark.django_db

BUTTONS = [
    (listed, getattr(listed, name).service_action)
    for listed in admin.site._registry.values()
    for name in (*getattr(listed, "actions_detail", ()), *getattr(listed, "actions_list", ()))
]
PRESSED = {"_form_submitted": "on", "reason": "x", "key": "x"}


def ids(value):
    return value.model._meta.label if hasattr(value, "model") else value.name


@pytest.fixture
def signed_in(person):
    def sign_in(role="operator", *, checks=False):
        client = Client(enforce_csrf_checks=checks)
        client.force_login(person(f"console-{role}", role))
        return client

    return sign_in


def address_of(listed, action, row):
    meta = listed.model._meta
    name = f"admin:{meta.app_label}_{meta.model_name}_press_{action.name}"
    return reverse(name) if action.creates else reverse(name, args=(row.pk,))


def state_of(row):
    fresh = type(row)._base_manager.get(pk=row.pk)
    return {field.attname: getattr(fresh, field.attname) for field in row._meta.concrete_fields}


@pytest.mark.parametrize(("listed", "action"), BUTTONS, ids=ids)
def test_a_button_changes_nothing_without_a_post_a_token_and_the_right(listed, action, signed_in):
    row = make_row(listed)
    address, before, events = address_of(listed, action, row), state_of(row), Event.objects.count()
    operator = signed_in(checks=True)

    shown = operator.get(address)
    without_token = operator.post(address, PRESSED)
    by_put = operator.put(address, HTTP_X_CSRFTOKEN="none")
    viewer = signed_in("readonly")

    assert shown.status_code == 200
    assert 'method="post"' in shown.content.decode()
    assert f">{action.label}</h2>" in shown.content.decode()
    assert without_token.status_code == 403
    assert by_put.status_code in (403, 405)
    assert viewer.get(address).status_code == 403
    assert (
        viewer.post(address, {"_form_submitted": "on", "reason": "x", "key": "x"}).status_code
        == 403
    )
    assert Client().post(address).status_code == 302  # to the login
    assert state_of(row) == before
    assert Event.objects.count() == events


def test_a_button_calls_the_service_as_the_person_who_pressed_it(signed_in):
    agent = agent_register(agent_id="hermes", actor="test")
    address = reverse("admin:registry_agent_press_agent_draining", args=(agent.pk,))

    response = signed_in().post(
        address, {"_form_submitted": "on", "reason": "new disk"}, HTTP_HX_REQUEST="true"
    )

    assert response.headers["HX-Redirect"] == page_of(agent)
    agent.refresh_from_db()
    assert (agent.overlay, agent.overlay_reason) == ("draining", "new disk")
    event = Event.objects.get(type="agent.overlay_changed")
    assert event.actor == "console-operator"


def test_a_missing_reason_is_asked_for_and_nothing_happens(signed_in):
    agent = agent_register(agent_id="hermes", actor="test")
    address = reverse("admin:registry_agent_press_agent_disabled", args=(agent.pk,))

    response = signed_in().post(address, {"_form_submitted": "on", "reason": ""})

    assert "This field is required" in response.content.decode()
    assert Agent.objects.get(agent_id="hermes").overlay == ""


def test_a_refusal_is_shown_in_its_own_words_inside_the_dialog(signed_in):
    agent = agent_register(agent_id="hermes", actor="test")
    Agent.objects.filter(pk=agent.pk).update(deregistered_at=agent.registered_at)
    address = reverse("admin:registry_agent_press_agent_deregister", args=(agent.pk,))

    response = signed_in().post(address, {"_form_submitted": "on"})

    assert response.status_code == 200
    assert "Agent not found" in response.content.decode()
    assert not Event.objects.filter(type="agent.deregistered").exists()


def test_only_possible_moves_are_offered(signed_in):
    agent = agent_register(agent_id="hermes", actor="test")
    client = signed_in()
    assert "agent-draining/" in client.get(page_of(agent)).content.decode()
    assert "agent-lift/" not in client.get(page_of(agent)).content.decode()

    agent_overlay_set(agent, overlay="draining", reason="x", actor="test")

    text = client.get(page_of(agent)).content.decode()
    assert "agent-draining/" not in text
    assert "agent-lift/" in text


def test_a_bulk_action_asks_first_and_then_does_it_for_each_row(signed_in):
    agents = [agent_register(agent_id=name, actor="test") for name in ("a1", "a2", "a3")]
    client, listed = signed_in(), "/admin/registry/agent/"
    chosen = {"action": "agent_cordoned", "_selected_action": [agent.pk for agent in agents[:2]]}

    asked = client.post(listed, {**chosen, "index": "0"})

    assert "Cordon: 2 of 2 selected" in asked.content.decode()
    assert not Agent.objects.exclude(overlay="").exists()

    client.post(listed, {**chosen, "_form_submitted": "on", "reason": "network work"})

    assert set(Agent.objects.filter(overlay="cordoned").values_list("agent_id", flat=True)) == {
        "a1",
        "a2",
    }


def test_a_bulk_action_is_not_for_viewers(signed_in):
    agent = agent_register(agent_id="a1", actor="test")
    data = {
        "action": "agent_cordoned",
        "_selected_action": [agent.pk],
        "_form_submitted": "on",
        "reason": "x",
    }

    signed_in("readonly").post("/admin/registry/agent/", data)

    assert Agent.objects.get().overlay == ""


def test_a_key_is_issued_and_its_secret_shown_once(signed_in):
    client = signed_in()
    address = reverse("admin:common_apikey_press_key_issue")
    form = {"_form_submitted": "on", "name": "nightly", "kind": "agent", "agent_id": "hermes"}

    shown = client.post(address, form).content.decode()

    key = ApiKey.objects.get(agent_id="hermes")
    secret = shown.split('id="issued-key">')[1].split("<")[0]
    assert secret.startswith(key.prefix)
    assert (key.made_by, key.role) == ("console-operator", "agent")
    assert secret not in client.get(page_of(key)).content.decode()
    assert secret not in client.get("/admin/common/apikey/").content.decode()


def test_a_revoked_key_is_dead_at_once(signed_in):
    key, secret = key_issue(name="old", actor="test")
    assert Client().get("/api/v1/agents", HTTP_X_API_KEY=secret).status_code == 200

    address = reverse("admin:common_apikey_press_key_revoke", args=(key.pk,))
    signed_in().post(address, {"_form_submitted": "on"})

    assert Client().get("/api/v1/agents", HTTP_X_API_KEY=secret).status_code == 401


def test_the_checks_find_an_action_without_permission_and_one_without_dialog():
    def undeclared(row, *, actor):
        return row

    class Careless(ReadOnlyAdmin):
        view_permission = "agent:view"
        actions = [ServiceAction(undeclared, "Do")]

    class Direct(ReadOnlyAdmin):
        view_permission = "agent:view"
        actions = ["delete_selected"]

    found = [
        error.id
        for careless in (Careless(Agent, admin.site), Direct(Agent, admin.site))
        for error in check_page(careless)
    ]

    assert set(found) == {"fleetdesk.E010", "fleetdesk.E011"}
    assert not [e for e in run_checks() if e.id in ("fleetdesk.E010", "fleetdesk.E011")]
