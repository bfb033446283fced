"""The names by which existing clients call the built-in agents."""

from ecommerce.agents import AGENTS, BY_AGENT_ID

# By slug, where the name that clients use is not the slug itself.
_OTHER_NAMES = {
    "order": "order_agent",
    "product": "product_agent",
    "inventory": "inventory_agent",
    "customer": "customer_agent",
    "carrier": "carrier_agent",
    "payment": "payment_agent",
    "returns": "returns_agent",
    "fraud": "fraud_detection",
    "risk": "risk_detection",
    "quality": "quality_control",
}
_AGENT_IDS = {
    name: spec.agent_id
    for spec in AGENTS
    for name in (spec.slug, _OTHER_NAMES.get(spec.slug, spec.slug))
}


def client_name(agent_id: str) -> str:
    """`order_agent` for `order_agent_v3`; an outside agent has its id only."""
    spec = BY_AGENT_ID.get(agent_id)
    return _OTHER_NAMES.get(spec.slug, spec.slug) if spec else agent_id


def agent_id_of(name: str) -> str:
    """The agent id for a slug, a client's name or an agent id."""
    return _AGENT_IDS.get(name, name)
