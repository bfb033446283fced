"""All 27 agents are in the registry from the first day."""

import pytest

from ecommerce.agents import AGENTS
from ecommerce.registration import register_builtin_agents
from messaging.models import Event

pytestmark = pytest.mark.django_db


def test_every_agent_of_the_table_is_registered_once(api, django_assert_num_queries):
    assert register_builtin_agents() == 27

    agents = {agent["agent_id"]: agent for agent in api.get("/agents").json()["agents"]}

    assert set(agents) == {spec.agent_id for spec in AGENTS}
    for spec in AGENTS:
        agent = agents[spec.agent_id]
        assert agent["status"] == ("active" if spec.is_implemented else "inactive")
        assert agent["agent_type"] == "specialist"
        assert agent["metadata"]["port"] == spec.port
        assert agent["metadata"]["implemented"] is spec.is_implemented
    with django_assert_num_queries(1):
        assert register_builtin_agents() == 0
    assert Event.objects.filter(type="agent.registered").count() == 27


def test_an_agent_that_is_not_built_yet_was_never_heard(api):
    register_builtin_agents()

    agent = api.get("/agents/d2c_ecommerce_agent_v3").json()["agent"]

    assert agent["status"] == "inactive"
    assert agent["last_heartbeat"] is None
    assert agent["facts"]["reachable"] is False
