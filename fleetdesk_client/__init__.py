"""The client of Fleetdesk for people who write agents; needs httpx, nothing of the platform."""

from fleetdesk_client.client import Claimed, Fleetdesk
from fleetdesk_client.errors import FleetdeskError, LeaseLost, Retry

__all__ = ["Claimed", "Fleetdesk", "FleetdeskError", "LeaseLost", "Retry"]
