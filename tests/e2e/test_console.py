"""A person in a real browser: signs in, sees an order arrive, opens it and cancels it."""

import shutil
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.stress.platform import Platform

pytestmark = pytest.mark.e2e

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SOON_MS = 15_000
PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</script><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "{{ 7*7 }}{% debug %}",
    "<style>*{display:none}</style>",
    "<div x-data x-init=alert(1)>",
    "<div hx-get=/admin/ hx-trigger=load>",
]


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform() as running:
        yield running


class Watched:
    """A page and everything on it that should not have happened."""

    def __init__(self, page: Page, own: str) -> None:
        self.page, self.own, self.troubles = page, own, []
        page.on("console", lambda said: self._note(said.type == "error", said.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("request", lambda request: self._note(self._is_foreign(request.url), request.url))

    def _note(self, is_trouble: bool, what: str) -> None:
        if is_trouble:
            self.troubles.append(what)

    def _is_foreign(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self.own).netloc


@pytest.fixture(params=["light", "dark"])
def browser_page(request, platform) -> Iterator[Watched]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("There is no Chromium on this machine.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        context = browser.new_context(color_scheme=request.param)
        yield Watched(context.new_page(), platform.url)
        browser.close()


def sign_in(page: Page, platform: Platform) -> None:
    page.goto(f"{platform.url}/admin/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", platform.password)
    page.click("#login-form button[type=submit]")
    page.wait_for_url("**/admin/")


def ask(platform: Platform, path: str, body: dict) -> dict:
    response = httpx.post(f"{platform.url}{path}", json=body, headers=platform.headers, timeout=30)
    assert response.status_code == 201, response.text
    return response.json()


def place_an_order(platform: Platform) -> dict:
    """An order that is not paid yet, so that the agents leave it where it can be cancelled."""
    who = {"first_name": "Jane", "last_name": "Porter", "email": f"{uuid.uuid4().hex}@example.org"}
    customer = ask(platform, "/api/customers", who)
    address = {"line1": "1 High Street", "city": "London", "postal_code": "N1 1AA", "country": "GB"}
    place = ask(platform, f"/api/customers/{customer['id']}/addresses", address)
    wanted = {"name": "Paper lantern", "price": "4.25", "status": "active", "merchant_id": 1}
    product = ask(platform, "/api/products", {**wanted, "sku": f"LANTERN-{customer['id']}"})
    received = httpx.post(
        f"{platform.url}/api/inventory/adjust",
        json={
            "product_id": product["id"],
            "warehouse_id": 1,
            "quantity_change": 10,
            "reason": "opening stock",
        },
        headers=platform.headers,
        timeout=30,
    )
    assert received.status_code == 200, received.text
    order = {
        "customer_id": customer["id"],
        "shipping_address_id": place["id"],
        "items": [{"product_id": product["id"], "quantity": 3}],
    }
    return ask(platform, "/api/orders", order)


def test_an_order_arrives_live_and_is_cancelled(browser_page, platform):
    page = browser_page.page
    sign_in(page, platform)
    expect(page.locator("#live-state")).to_contain_text("live", timeout=SOON_MS)
    expect(page.locator("[data-agent]")).to_have_count(27)
    before = int(page.locator('[data-tile="orders"] [data-part="value"]').inner_text())

    order = place_an_order(platform)

    tile = page.locator('[data-tile="orders"] [data-part="value"]')
    expect(tile).to_have_text(str(before + 1), timeout=SOON_MS)
    arrival = page.locator("#feed li", has_text="order placed").first
    expect(arrival).to_contain_text(order["order_number"], timeout=SOON_MS)

    arrival.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(order["order_number"])
    page.get_by_role("link", name="Cancel").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Releases 3 units")
    dialog.get_by_label("Reason").fill("changed their mind")
    dialog.get_by_role("button", name="Cancel").click()

    expect(page.locator("main")).to_contain_text("changed their mind", timeout=SOON_MS)
    expect(page.locator("main .fd-chip", has_text="cancelled").first).to_be_visible()
    assert browser_page.troubles == []


def test_the_control_room_fits_a_phone(browser_page, platform):
    page = browser_page.page
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, platform)
    for address in ("/admin/", "/admin/orders/order/", "/admin/tasks/task/"):
        page.goto(f"{platform.url}{address}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
    assert browser_page.troubles == []


def test_what_agents_say_of_themselves_is_only_text(browser_page, platform):
    for number, payload in enumerate(PAYLOADS):
        said = {"name": payload, "metadata": {"note": payload}, "endpoints": {"http": payload}}
        body = {"agent_id": f"mallory-{number}", "capabilities": [payload], **said}
        response = httpx.post(
            f"{platform.url}/api/v1/agents",
            json=body,
            headers=platform.headers,
            timeout=30,
        )
        assert response.status_code == 200, response.text
    page = browser_page.page
    page.on("dialog", lambda dialog: browser_page.troubles.append(dialog.message))
    sign_in(page, platform)
    expect(page.locator("#live-state")).to_contain_text("live", timeout=SOON_MS)

    for address in (
        "registry/agent/",
        "registry/agent/?q=mallory-0",
        "messaging/event/?kind=agent",
    ):
        page.goto(f"{platform.url}/admin/{address}")
        assert page.locator("main svg[onload], main [x-init*=alert], main [onerror]").count() == 0
    page.goto(f"{platform.url}/admin/registry/agent/?q=mallory-0")
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("main")).to_contain_text(PAYLOADS[0])
    assert browser_page.troubles == []


def test_a_broken_connection_says_since_when_and_heals(browser_page, platform):
    page = browser_page.page
    sign_in(page, platform)
    expect(page.locator("#live-state")).to_contain_text("live", timeout=SOON_MS)

    platform.kill()
    expect(page.locator("#live-state")).to_contain_text("stale since", timeout=SOON_MS)
    platform.start()

    expect(page.locator("#live-state")).to_contain_text("live, as of", timeout=SOON_MS)
