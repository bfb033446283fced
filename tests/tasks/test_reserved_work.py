"""Nobody from outside gives work to the platform's own agents, or keeps it from them."""

import pytest

from tasks.models import Task

pytestmark = pytest.mark.django_db

RESERVED = {
    "agent_id": {"agent_id": "payment_agent_v3", "task_type": "payments.settle"},
    "required_capabilities": {"required_capabilities": ["System.render"]},
    "unique.key": {"unique": {"key": "event:7:orders.follow_payment"}},
}


@pytest.mark.parametrize("field", RESERVED)
def test_work_of_the_platforms_own_agents_cannot_be_forged_or_blocked(api, field):
    body = {"title": "Forged", "description": "", **RESERVED[field]}

    alone = api.post("/api/v1/tasks", body)
    batch = api.post("/api/v1/tasks/batch", {"tasks": [body]})

    assert alone.status_code == 422
    assert alone.json()["errors"][0]["field"] == field
    assert batch.json()["results"][0]["detail"] == alone.json()["detail"]
    assert not Task.objects.exists()


def test_the_coordinator_takes_no_internal_jobs_either(api):
    body = {
        "task_data": {"task_type": "system.render"},
        "priority": "normal",
        "requirements": {"capabilities": ["system.render"]},
    }

    response = api.post("/tasks/submit", body)

    assert response.status_code == 422
    assert response.json()["detail"].startswith("system.render is reserved")
    assert not Task.objects.exists()
