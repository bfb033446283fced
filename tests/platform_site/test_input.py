"""Input that cannot hurt. API4:2023, API8:2023."""

import pytest

from registry.models import Agent

pytestmark = pytest.mark.django_db
ROUTE = "/api/v1/agents"


def post(api, body, **headers):
    return api.generic("POST", ROUTE, body, "application/json", headers=headers)


def test_a_body_is_json_whatever_its_content_type_says(api):
    body = b'{"name": "a", "capabilities": []}'

    response = api.generic("POST", ROUTE, body, "application/x-www-form-urlencoded")

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"name": NaN}', 400),
        (b'{"name": 1e400}', 400),
        (b"[" * 100 + b"]" * 100, 400),
        (b'{"name": "a\\u0000b", "capabilities": []}', 422),
        (b'{"na\\u0000me": "a", "capabilities": []}', 422),
        (b'{"name": "\\ud800", "capabilities": []}', 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"null", 422),
        (b'{"name": ["a"], "capabilities": []}', 422),
        (b'{"name": "a", "capabilities": "no list"}', 422),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_nothing_is_stored(api, body, status):
    response = post(api, body)

    assert response.status_code == status, response.content
    assert isinstance(response.json()["detail"], str)
    assert not Agent.objects.exists()


def test_a_body_over_the_limit_is_refused(api):
    response = post(api, b'{"name": "' + b"x" * 3_000_000 + b'"}')

    assert response.status_code == 413
    assert response.json()["limit"] == 2 * 1024 * 1024


def test_a_compressed_body_is_refused(api):
    assert post(api, b"{}", **{"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("address", [f"{ROUTE}?type_filter=%00", f"{ROUTE}?x=%ff", f"{ROUTE}/%00"])
def test_an_address_that_is_no_text_is_refused(api, address):
    assert api.get(address).status_code == 400


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "offset=-1", "limit=abc", "offset=9" + "9" * 22]
)
def test_a_window_outside_the_list_is_refused(api, query):
    assert api.get(f"{ROUTE}?{query}").status_code == 422


def test_a_huge_limit_is_cut(api):
    assert api.get(f"{ROUTE}?limit=1{'0' * 23}").status_code == 200


def test_an_unknown_path_answers_json(api):
    response = api.get("/api/v1/nothing-here")

    assert response.status_code == 404
    assert set(response.json()) >= {"detail", "status", "message", "timestamp"}


def test_a_wrong_method_names_the_right_ones(api):
    response = api.put(ROUTE, {})

    assert response.status_code == 405
    assert response.json()["detail"] == "Method Not Allowed"
    assert "POST" in response.headers["Allow"]
