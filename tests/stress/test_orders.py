"""Many buyers and few units; any process killed on an order's way."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.stress.platform import Platform

pytestmark = pytest.mark.stress

FULL = os.environ.get("STRESS") == "full"
ROUNDS = 20 if FULL else 2
BUYERS, UNITS = 200, 50
ORDERS = 40 if FULL else 12
KILLS = 12 if FULL else 5
FINISHED_WITHIN_S = 240.0
PARALLEL = 32
ADDRESS = {
    "address_type": "both",
    "address_line1": "1 Harbour Street",
    "city": "London",
    "postal_code": "EC1A 1BB",
    "country": "GB",
}


def client_of(platform: Platform) -> httpx.Client:
    limits = httpx.Limits(max_connections=PARALLEL)
    return httpx.Client(base_url=platform.url, headers=platform.headers, timeout=60, limits=limits)


def created(client: httpx.Client, path: str, body: dict) -> dict:
    response = client.post(path, json=body)
    assert response.status_code == 201, response.text
    return response.json()


def make_goods(client: httpx.Client, sku: str, units: int) -> int:
    warehouse = client.get("/api/warehouses").json()["warehouses"][0]["id"]
    body = {
        "merchant_id": 1,
        "sku": sku,
        "name": f"Lantern {sku}",
        "price": "10.00",
        "weight": 0.4,
        "weight_unit": "kg",
        "status": "active",
        "warehouse_inventory": [{"warehouse_id": warehouse, "quantity": units}],
    }
    return created(client, "/api/products", body)["id"]


def make_buyer(client: httpx.Client, number: int) -> dict:
    body = {"email": f"b{number}@example.org", "first_name": "Ada", "last_name": f"No {number}"}
    customer = created(client, "/api/customers", body)
    address = created(client, f"/api/customers/{customer['id']}/addresses", ADDRESS)
    return {"customer_id": customer["id"], "shipping_address_id": address["id"]}


def order_body(product: int, buyer: dict, quantity: int = 1) -> dict:
    items = [{"product_id": product, "quantity": quantity}]
    return {**buyer, "items": items, "payment_method": "credit_card"}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_two_hundred_buyers_share_fifty_units(database):
    with Platform(database, agents=False) as platform, client_of(platform) as client:
        buyer = make_buyer(client, 1)
        for number in range(ROUNDS):
            product = make_goods(client, f"RARE-{number}", UNITS)

            def buy(_: int, product: int = product) -> int:
                return client.post("/api/orders", json=order_body(product, buyer)).status_code

            with ThreadPoolExecutor(PARALLEL) as buyers:
                answers = Counter(buyers.map(buy, range(BUYERS)))

            assert answers == {201: UNITS, 409: BUYERS - UNITS}
        checked = platform.manage("reconcile")
        assert checked.returncode == 0, checked.stdout


def killing(platform: Platform, over: threading.Event) -> Iterator[int]:
    """`kill -9` at moments that nobody chose, and a start on the same rows each time."""
    for number in range(KILLS):
        if over.wait(random.uniform(1.0, 6.0)):
            return
        platform.kill()
        platform.start()
        yield number


def states(client: httpx.Client) -> Counter:
    listed = client.get("/api/orders?limit=100").json()["orders"]
    return Counter((row["state"], row["payment_status"]) for row in listed)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_whatever_is_killed_the_orders_end_in_the_same_state(database):
    with Platform(database) as platform, client_of(platform) as client:
        product = make_goods(client, "LANTERN", 1000)
        placed = [
            created(client, "/api/orders", order_body(product, make_buyer(client, n), 2))["id"]
            for n in range(ORDERS)
        ]
        kills = sum(1 for _ in killing(platform, threading.Event()))

        until = time.monotonic() + FINISHED_WITHIN_S
        with client_of(platform) as again:
            while time.monotonic() < until:
                found = states(again)
                if sum(found[state] for state in END) == len(placed):
                    break
                time.sleep(1)
            assert kills == KILLS
            assert sum(found[state] for state in END) == len(placed), found
            stock = again.get(f"/api/inventory/product/{product}").json()["inventory"][0]
            payments = again.get("/api/payments?limit=100").json()["payments"]
        assert stock["quantity"] == 1000 - 2 * ORDERS
        assert stock["reserved_quantity"] == 0
        assert Counter(row["state"] for row in payments) == {"captured": ORDERS}
        checked = platform.manage("reconcile")
        assert checked.returncode == 0, checked.stdout


END = (("shipped", "paid"), ("delivered", "paid"))
