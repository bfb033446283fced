"""A simulated shopper who uses the public routes, as anybody would."""

import json
import logging
import random
import secrets
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

PAUSE_S = (2.0, 8.0)
TIMEOUT_S = 10
NAMES = ("Ada", "Grace", "Katherine", "Barbara", "Radia", "Frances", "Hedy", "Joan")
SURNAMES = ("Lovelace", "Hopper", "Johnson", "Liskov", "Perlman", "Allen", "Lamarr", "Clarke")
STREETS = ("Harbour Street", "Mill Lane", "Station Road", "Church Hill")
TOWNS = (("London", "EC1A 1BB"), ("Leeds", "LS1 4AP"), ("Bristol", "BS1 5TR"), ("York", "YO1 7HH"))
METHODS = ("credit_card", "debit_card", "paypal")
CATALOGUE = (
    ("DEMO-LANTERN", "White metal lantern", "13.95", 700),
    ("DEMO-MUG", "Enamel mug with a rim", "8.50", 250),
    ("DEMO-TIN", "Biscuit tin, red", "11.25", 400),
    ("DEMO-LIGHTS", "String of twenty lights", "19.90", 300),
    ("DEMO-APRON", "Linen apron", "24.00", 350),
)
STOCK = 500
FIRST_MERCHANT = 1  # the one that first_run makes

log = logging.getLogger(__name__)


class Declined(Exception):
    """The shop said no; the shopper goes on with something else."""


@dataclass
class Shop:
    """The public routes of one installation."""

    base_url: str
    key: str
    merchant_id: int = FIRST_MERCHANT  # whose goods the shopper brings into an empty shop

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request with the shopper's key. Raises Declined with the shop's own words."""
        headers = {"X-API-Key": self.key, "Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.base_url}{path}", data=data, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            raise Declined(f"{method} {path}: {error.code} {error.read(500)!r}") from error


def shop_forever(base_url: str, key: str, stop_event: threading.Event) -> int:
    """Buy something every few seconds until told to stop; how many orders were placed.

    A shop that is empty is stocked first with a small catalogue of its own, by the same routes.
    """
    shop, placed = Shop(base_url, key), 0
    while not stop_event.is_set():
        try:
            number = shop_once(shop)
            placed += 1
            log.info("The shopper placed %s", number)
        except (Declined, OSError) as error:
            log.warning("The shopper got nothing: %s", error)
        stop_event.wait(random.uniform(*PAUSE_S))
    return placed


def shop_once(shop: Shop) -> str:
    """One visit: look, become a customer, order; the order's number."""
    goods = _goods(shop)
    customer = _customer(shop)
    basket = random.sample(goods, k=min(len(goods), random.randint(1, 3)))
    order = shop.call(
        "POST",
        "/api/orders",
        {
            "customer_id": customer["customer_id"],
            "shipping_address_id": customer["id"],
            "payment_method": random.choice(METHODS),
            "items": [
                {
                    "product_id": product["id"],
                    "quantity": random.randint(1, 3),
                    "unit_price": product["price"],
                }
                for product in basket
            ],
        },
    )
    return str(order["order_number"])


def _goods(shop: Shop) -> list[dict[str, Any]]:
    """What is on sale; the shopper's own catalogue where there is nothing."""
    found = shop.call("GET", "/api/products?status=active&limit=100")["products"]
    stocked = [product for product in found if product["inventory"]["available_quantity"] > 0]
    return stocked or _stocked(shop)


def _stocked(shop: Shop) -> list[dict[str, Any]]:
    warehouse = shop.call("GET", "/api/warehouses")["warehouses"][0]["id"]

    return [
        shop.call(
            "POST",
            "/api/products",
            {
                "merchant_id": shop.merchant_id,
                "sku": sku,
                "name": name,
                "price": price,
                "weight": weight_g / 1000,
                "weight_unit": "kg",
                "status": "active",
                "warehouse_inventory": [{"warehouse_id": warehouse, "quantity": STOCK}],
            },
        )
        for sku, name, price, weight_g in CATALOGUE
    ]


def _customer(shop: Shop) -> dict[str, Any]:
    """A new customer with an address; the address row."""
    first, last = random.choice(NAMES), random.choice(SURNAMES)
    customer = shop.call(
        "POST",
        "/api/customers",
        {
            "email": f"{first}.{last}.{secrets.token_hex(4)}@shoppers.example".lower(),
            "first_name": first,
            "last_name": last,
        },
    )
    town, postal_code = random.choice(TOWNS)
    address = shop.call(
        "POST",
        f"/api/customers/{customer['id']}/addresses",
        {
            "address_type": "both",
            "address_line1": f"{random.randint(1, 99)} {random.choice(STREETS)}",
            "city": town,
            "postal_code": postal_code,
            "country": "GB",
            "is_default": True,
        },
    )
    return {**address, "customer_id": customer["id"]}
