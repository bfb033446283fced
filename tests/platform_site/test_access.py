"""Every route as every role, on file and in the running program (S6, S7). API1, API5:2023."""

import re
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from platform_site.access_matrix import as_csv, cells
from platform_site.common.access import MATRIX, OPEN, ROLES
from platform_site.common.keys import key_issue

FILE = Path(__file__).resolve().parents[1] / "access_matrix.csv"
CELLS = cells()
LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}


def call(client, cell):
    path = re.sub(r"\{\w+\}", "424242", cell.route)
    body = {} if cell.method in ("POST", "PUT", "PATCH") else None
    return client.generic(cell.method, path, b"{}" if body is not None else b"", "application/json")


def test_the_matrix_on_file_is_the_one_of_the_code():
    assert as_csv() == FILE.read_text(), "run manage.py access_matrix and review the difference"


def test_every_word_has_a_cell_for_everybody():
    assert all(set(row) == {OPEN, *ROLES} for row in MATRIX.values())


@pytest.mark.django_db
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.method} {cell.route}")
def test_without_a_credential_only_public_routes_answer(stranger, cell):
    status = call(stranger, cell).status_code

    assert (status != 401) == (cell.word == ""), status


@pytest.mark.django_db
@pytest.mark.parametrize("role", [*ROLES, OPEN])
def test_every_route_answers_each_role_as_the_matrix_says(role, person, settings):
    settings.OPEN_API = role == OPEN
    client = APIClient(**LOCAL)
    if role != OPEN:
        owner = (
            person("somebody", role) if role in ("user", "readonly", "operator", "admin") else None
        )
        _, secret = key_issue(
            name=role,
            owner=owner,
            role="" if owner else role,
            agent_id="me" if role == "agent" else "",
            actor="test",
        )
        client.credentials(HTTP_X_API_KEY=secret)

    wrong = []
    for cell in CELLS:
        status = call(client, cell).status_code
        is_closed = cell.reach(role) in ("-", "scope")
        if status == 401 or ((status == 403) != is_closed and cell.reach(role) != "self"):
            wrong.append(
                f"{cell.method} {cell.route}: {status}, the matrix says {cell.reach(role)}"
            )

    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PROPFIND"])
def test_odd_methods_open_no_door(stranger, method):
    for route in sorted({cell.route for cell in CELLS if cell.word}):
        path = re.sub(r"\{\w+\}", "424242", route)
        assert stranger.generic(method, path).status_code in (401, 405), route
