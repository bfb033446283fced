"""Nobody works under the lease of an agent that owns a key (S8). API1, API5:2023."""

import pytest

from messaging.models import Event
from platform_site.common.keys import key_issue
from tasks.models import Lease, Task
from tests.factories.registry import make_agent
from tests.factories.tasks import fence, make_running
from tests.platform_site.routes import CELLS

pytestmark = pytest.mark.django_db

LEASE_CALLS = [cell for cell in CELLS if cell.word == "task:claim"]


def rows():
    tasks = Task.objects.order_by("pk").values("status", "version", "progress", "result")
    return list(tasks), list(Lease.objects.order_by("pk").values())


@pytest.mark.parametrize("cell", LEASE_CALLS, ids=lambda cell: cell.route)
def test_a_call_under_the_lease_of_an_owned_agent_needs_its_key(client_as, cell):
    held = make_running(make_agent("b"))
    key_issue(name="b", agent_id="b", actor="alice")
    path = cell.route.replace("{pk}", str(held.task.pk)).replace("{agent_id}", "b")
    body = {**fence(held), "reason": "input", "holding": [], "results": [], "wait_s": 0}
    before = rows()

    for caller in ("a", "api_user", "operator", "admin"):
        client = client_as("agent", agent_id="a") if caller == "a" else client_as(caller)
        response = client.post(path, body)

        assert response.status_code == 403, (caller, response.content)
    assert rows() == before
    denied = Event.objects.filter(type="security.denied")
    assert {event.data["agent_id"] for event in denied} == {"b"}
