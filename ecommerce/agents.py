"""The table of the 27 agents: data from which everything else about them is derived."""

from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec


class Category(StrEnum):
    CORE = "Core Business"
    MARKETPLACE = "Marketplace & Integration"
    OPERATIONS = "Operations & Support"
    INFRASTRUCTURE = "Infrastructure & Monitoring"


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One built-in agent: its own port, its id towards clients, its package and its tier."""

    port: int
    slug: str
    agent_id: str
    package: str
    name: str
    category: Category
    capabilities: tuple[str, ...] = ()
    version: str = "3.0.0"

    @property
    def is_implemented(self) -> bool:
        """The package exists; an agent without one is registered but never gets work."""
        return find_spec(f"ecommerce.{self.package}") is not None


C, M, O, I = Category  # noqa: E741 (the table below is read by column)

AGENTS: tuple[AgentSpec, ...] = (
    AgentSpec(8000, "order", "order_agent_v3", "orders", "Order Agent", C),
    AgentSpec(8001, "product", "product_agent_v3", "products", "Product Agent", C),
    AgentSpec(8002, "inventory", "inventory_agent_v3", "inventory", "Inventory Agent", C),
    AgentSpec(
        8003, "marketplace", "marketplace_connector_v3", "marketplaces", "Marketplace Connector", M
    ),
    AgentSpec(8004, "payment", "payment_agent_v3", "payments", "Payment Agent", C),
    AgentSpec(8005, "pricing", "dynamic_pricing_v3", "pricing", "Dynamic Pricing", M),
    AgentSpec(8006, "carrier", "carrier_agent_v3", "carriers", "Carrier Agent", C),
    AgentSpec(8007, "customer", "customer_agent_v3", "customers", "Customer Agent", C),
    AgentSpec(8008, "warehouse", "warehouse_agent_v3", "warehouses", "Warehouse Agent", O),
    AgentSpec(8009, "returns", "returns_agent_v3", "returns", "Returns Agent", C),
    AgentSpec(8010, "fraud", "fraud_detection_agent_v3", "fraud", "Fraud Detection", C),
    AgentSpec(8011, "risk", "risk_anomaly_detection_v3", "risk", "Risk Anomaly Detection", I),
    AgentSpec(
        8012, "knowledge", "knowledge_management_agent_v3", "knowledge", "Knowledge Management", I
    ),
    AgentSpec(
        8014,
        "recommendation",
        "recommendation_agent_v3",
        "recommendations",
        "Recommendation Agent",
        M,
    ),
    AgentSpec(8015, "transport", "transport_management_v3", "transport", "Transport Management", O),
    AgentSpec(
        8016,
        "documents",
        "document_generation_agent_v3",
        "documents",
        "Document Generation",
        O,
        capabilities=("system.render",),
    ),
    AgentSpec(8018, "support", "support_agent_v3", "support", "Support Agent", O),
    AgentSpec(
        8019,
        "communication",
        "customer_communication_v3",
        "communications",
        "Customer Communication",
        O,
    ),
    AgentSpec(8020, "promotion", "promotion_agent_v3", "promotions", "Promotion Agent", M),
    AgentSpec(8021, "after_sales", "after_sales_agent_v3", "after_sales", "After Sales Agent", O),
    AgentSpec(8022, "infrastructure", "infrastructure_v3", "infrastructure", "Infrastructure", I),
    AgentSpec(8023, "monitoring", "monitoring_agent_v3", "monitoring", "Monitoring Agent", I),
    AgentSpec(8024, "ai_monitoring", "ai_monitoring_agent_v3", "ai_monitoring", "AI Monitoring", I),
    AgentSpec(8026, "d2c", "d2c_ecommerce_agent_v3", "d2c", "D2C Ecommerce", M),
    AgentSpec(8027, "backoffice", "backoffice_agent_v3", "backoffice", "Backoffice Agent", O),
    AgentSpec(8028, "quality", "quality_control_agent_v3", "quality", "Quality Control", O),
    AgentSpec(8100, "gateway", "system_api_gateway_v3", "gateway", "System API Gateway", I),
)

COORDINATOR_PORT = 9001
GATEWAY_PORT = 8100

BY_SLUG = {spec.slug: spec for spec in AGENTS}
BY_PACKAGE = {spec.package: spec for spec in AGENTS}
BY_AGENT_ID = {spec.agent_id: spec for spec in AGENTS}


def implemented_packages() -> list[str]:
    """Dotted names of the domain packages that exist, in the order of the table."""
    return [f"ecommerce.{spec.package}" for spec in AGENTS if spec.is_implemented]
