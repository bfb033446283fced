"""Who is let in: keys (S12), tokens that clients sign (S11), sessions (S16), open mode (S37)."""

import json
import time
from datetime import timedelta

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Event
from platform_site.common.keys import digest, key_issue, key_revoke
from platform_site.common.models import ApiKey

pytestmark = pytest.mark.django_db
ROUTE = "/api/v1/agents"


def with_key(client, secret):
    return client.get(ROUTE, headers={"X-API-Key": secret})


def with_token(client, settings, secret=None, algorithm="HS256", headers=None, **claims):
    claims = {"sub": "user123", "exp": time.time() + 3600, **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode(claims, secret or settings.JWT_SECRET, algorithm, headers=headers)
    return client.get(ROUTE, headers={"Authorization": f"Bearer {token}"})


def test_without_a_credential_nobody_gets_in(stranger):
    response = stranger.get(ROUTE)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["detail"] == "Authentication required"


def test_a_key_works_in_both_headers_and_is_kept_as_a_digest_only(stranger):
    key, secret = key_issue(name="ci", role="operator", actor="alice")

    assert with_key(stranger, secret).status_code == 200
    bearer = {"Authorization": f"Bearer {secret}"}
    assert stranger.get(ROUTE, headers=bearer).status_code == 200
    stored = ApiKey.objects.values().get(pk=key.pk)
    assert stored["digest"] == digest(secret)
    assert secret not in json.dumps(stored, default=str)
    assert secret not in str(list(Event.objects.values_list("data", flat=True)))


def test_a_bad_key_is_refused_even_beside_a_good_session(person):
    client = Client()
    client.force_login(person("alice"))

    assert client.get(ROUTE).status_code == 200
    assert with_key(client, "fd_" + "x" * 43).status_code == 401


def test_a_revoked_or_expired_key_is_refused_at_the_next_request(stranger):
    revoked, secret = key_issue(name="old", role="operator", actor="alice")
    key_revoke(revoked, actor="alice")
    _, late = key_issue(name="late", role="operator", actor="alice")
    ApiKey.objects.filter(digest=digest(late)).update(expires_at=timezone.now())

    assert with_key(stranger, secret).status_code == 401
    assert with_key(stranger, late).status_code == 401


def test_a_key_of_a_deactivated_user_is_dead(stranger, person):
    user = person("alice")
    _, secret = key_issue(name="hers", owner=user, actor="alice")
    user.is_active = False
    user.save()

    assert with_key(stranger, secret).status_code == 401


def test_the_last_use_of_a_key_is_written_once_a_minute(stranger, django_assert_num_queries):
    key, secret = key_issue(name="busy", role="operator", actor="alice")
    with_key(stranger, secret)
    noted = ApiKey.objects.get(pk=key.pk).last_used_at

    with_key(stranger, secret)

    assert noted - timezone.now() < timedelta(minutes=1)
    assert ApiKey.objects.get(pk=key.pk).last_used_at == noted


def test_a_scoped_key_may_no_more_than_its_scopes(stranger, person):
    _, secret = key_issue(name="narrow", owner=person("alice"), scopes=["task:view"], actor="alice")

    response = with_key(stranger, secret)

    assert response.status_code == 403
    assert response.json()["required"] == "agent:view"


def test_the_snippet_of_the_reference_lets_its_client_in(stranger, settings):
    assert with_token(stranger, settings).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": 10**30},
        {"exp": time.time() + 400 * 86400},
        {"sub": None},
        {"sub": ""},
        {"iss": "fleetdesk"},
        {"sub": "agent:"},
    ],
)
def test_a_token_with_odd_claims_is_refused(stranger, settings, claims):
    assert with_token(stranger, settings, **claims).status_code == 401


def test_a_token_of_another_secret_or_algorithm_is_refused(stranger, settings):
    assert with_token(stranger, settings, secret="s" * 40).status_code == 401
    assert with_token(stranger, settings, algorithm="HS512").status_code == 401
    unsigned = jwt.encode({"sub": "a", "exp": time.time() + 60}, None, "none")
    response = stranger.get(ROUTE, headers={"Authorization": f"Bearer {unsigned}"})
    assert response.status_code == 401


def test_an_odd_kid_is_ignored_and_a_critical_header_is_refused(stranger, settings):
    odd = {"kid": "../../dev/null"}
    assert with_token(stranger, settings, headers=odd).status_code == 200
    critical = {"crit": ["x"], "x": 1}
    assert with_token(stranger, settings, headers=critical).status_code == 401


def test_a_token_of_two_megabytes_is_refused(stranger, settings):
    assert with_token(stranger, settings, junk="x" * 2_000_000).status_code == 401


def test_an_administrator_by_token_is_an_operator_at_most(stranger, settings, person):
    person("root", role="admin")
    token = jwt.encode({"sub": "root", "exp": time.time() + 60}, settings.JWT_SECRET)

    response = stranger.get(ROUTE, headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 200
    assert person("root").is_superuser


def test_a_token_for_an_agent_that_owns_a_key_is_refused(stranger, settings):
    assert with_token(stranger, settings, sub="agent:hermes").status_code == 200
    key_issue(name="hermes", agent_id="hermes", actor="alice")

    assert with_token(stranger, settings, sub="agent:hermes").status_code == 401


def test_a_session_needs_the_csrf_token_for_a_change(person):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("alice"))

    response = client.post(ROUTE, {"name": "x", "capabilities": []}, "application/json")

    assert response.status_code == 403


def test_a_session_counts_on_the_platforms_own_port_only(person):
    client = Client()
    client.force_login(person("alice"))

    assert client.get("/agents").status_code == 200
    assert client.get("/agents", SERVER_PORT="9001").status_code == 401


LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}


@pytest.fixture
def open_mode(settings):
    settings.OPEN_API = True


def test_in_open_mode_a_program_of_this_machine_needs_no_credential(open_mode):
    response = Client(**LOCAL).get(ROUTE)

    assert response.status_code == 200
    assert response.headers["X-Fleetdesk-Open"] == "1"


def test_in_open_mode_an_unknown_token_is_anonymous_and_a_revoked_key_is_not(open_mode):
    key, secret = key_issue(name="old", role="operator", actor="alice")
    key_revoke(key, actor="alice")

    client = Client(**LOCAL)

    unknown = {"Authorization": "Bearer test-token"}
    assert client.get(ROUTE, headers=unknown).status_code == 200
    assert with_key(client, secret).status_code == 401


@pytest.mark.parametrize(
    "sign",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"HTTP_HOST": "evil.example"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_X_REAL_IP": "192.0.2.7"},
        {"HTTP_VIA": "1.1 proxy"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
    ],
)
def test_open_mode_is_closed_to_whatever_comes_from_elsewhere(open_mode, settings, sign):
    settings.ALLOWED_HOSTS = ["*"]

    assert Client(**{**LOCAL, **sign}).get(ROUTE).status_code == 401


def test_open_mode_is_closed_to_foreign_pages_that_post(open_mode):
    body = {"name": "x", "capabilities": []}
    client = Client(**LOCAL, HTTP_ORIGIN="https://evil.example")

    assert client.post(ROUTE, body, "application/json").status_code == 401
    local = Client(**LOCAL, HTTP_ORIGIN="http://localhost:3000")
    assert local.post(ROUTE, body, "application/json").status_code == 200


def test_open_mode_does_not_open_what_operators_do(open_mode):
    client = Client(**LOCAL)
    client.post(ROUTE, {"name": "x", "agent_id": "x", "capabilities": []}, "application/json")

    body = {"overlay": "disabled", "reason": "x"}
    response = client.post(f"{ROUTE}/x/overlay", body, "application/json")

    assert response.status_code == 403
