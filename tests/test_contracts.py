"""What every route keeps to, read from the routers: envelopes, queries, slashes, ports, errors."""

import re
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from ecommerce.agents import BY_PACKAGE
from platform_site.common.api import commerce
from platform_site.ports import urlconf_for_port
from tests.factories.anything import make_anything
from tests.platform_site.routes import CELLS, call, make_stage

ROUTES = sorted({cell.route for cell in CELLS})
LISTS = [
    (prefix, viewset, basename)
    for prefix, viewset, basename in commerce.registry
    if "list" in viewset.access and hasattr(viewset, "queryset")
]
LIST_IDS = [f"/api/{prefix}" for prefix, _, _ in LISTS]
# Not `/api/agents`: its rows are the registry's, counted in test_gateway.
COUNTED = [row for row in LISTS if row[0] != "agents"]
COUNTED_IDS = [f"/api/{prefix}" for prefix, _, _ in COUNTED]
# Of the Commerce API, what an order needs.
CORE = """
orders    GET    orders
orders    POST   orders
orders    GET    orders/1
orders    PUT    orders/1
orders    PATCH  orders/1/status
orders    POST   orders/1/cancel
orders    GET    orders/stats
orders    GET    orders/recent
orders    POST   orders/bulk-update-status
orders    POST   orders/export
orders    GET    orders/1/tracking
orders    GET    orders/1/timeline
orders    GET    customer/orders
orders    GET    analytics/kpis
products  GET    products
products  POST   products
products  GET    products/1
products  PUT    products/1
products  DELETE products/1
products  GET    products/stats
products  GET    products/search
products  GET    categories
products  POST   categories
products  POST   products/bulk-delete
products  POST   products/bulk-update-status
products  POST   products/bulk-import
inventory GET    inventory
inventory GET    inventory/1
inventory PUT    inventory
inventory PATCH  inventory
inventory POST   inventory/adjust
inventory POST   inventory/transfer
inventory POST   inventory/export
inventory GET    inventory/low-stock
inventory GET    inventory/stats
inventory GET    inventory/movements/1
inventory GET    inventory/product/1
payments  GET    payments
payments  POST   payments
payments  GET    payments/1
payments  GET    payments/methods
payments  GET    payments/stats
payments  POST   payments/1/capture
payments  POST   payments/1/refund
customers POST   customers
customers POST   customers/1/addresses
customers GET    customers/1/addresses
warehouses GET   warehouses
carriers  GET    carriers
"""
CORE_ROUTES = [tuple(line.split()) for line in CORE.strip().splitlines()]


def methods_at(path, port):
    match = resolve(path, urlconf=urlconf_for_port(port) or "platform_site.urls")
    view = match.func
    actions = getattr(view, "actions", None)
    names = actions or [n for n in view.view_class.http_method_names if hasattr(view.view_class, n)]
    return {name.upper() for name in names}


@pytest.mark.parametrize(("package", "method", "route"), CORE_ROUTES, ids=" ".join)
def test_a_core_route_answers_on_all_its_ports(package, method, route):
    own = str(BY_PACKAGE[package].port)

    for port in ("8000", "8100", own):
        assert method in methods_at(f"/api/{route}", port), port
    assert method in methods_at(f"/{route}", own)


@pytest.mark.parametrize(("prefix", "viewset", "_"), LISTS, ids=LIST_IDS)
@pytest.mark.django_db
def test_a_list_answers_an_operator_in_its_envelope(api, prefix, viewset, _):
    body = api.get(f"/api/{prefix}?limit=7").json()

    assert body[getattr(viewset, "plural", "agents")] == []
    assert body["pagination"] == {"page": 1, "limit": 7, "total": 0, "pages": 0}


@pytest.mark.parametrize(("prefix", "viewset", "_"), COUNTED, ids=COUNTED_IDS)
@pytest.mark.django_db
def test_a_list_costs_the_same_queries_for_two_rows_as_for_twelve(api, prefix, viewset, _):
    model = viewset.queryset.model
    counts = []

    for number in (2, 10):
        for _row in range(number):
            make_anything(model)
        api.get(f"/api/{prefix}")  # what is read once for each process is read by now
        with CaptureQueriesContext(
            connection,
        ) as queries:
            shown = api.get(f"/api/{prefix}?limit=100").json()[viewset.plural]
        assert len(shown) >= number
        counts.append(len(queries))

    assert counts[0] == counts[1], queries.captured_queries


@pytest.mark.parametrize("route", ROUTES)
def test_a_trailing_slash_is_optional(route):
    path = re.sub(r"\{\w+\}", "1", route)

    assert resolve(path).func is resolve(f"{path}/").func


def test_fixed_words_are_never_taken_for_an_id():
    hidden = []
    for route in ROUTES:
        path = re.sub(r"\{\w+\}", "1", route)
        taken = resolve(path).kwargs
        named = set(re.findall(r"\{(\w+)\}", route))
        if set(taken) - {"format"} != named:
            hidden.append(f"{route} is taken with {taken}")

    assert not hidden


@contextmanager
def database_that(error):
    def refuse(execute, sql, params, many, context):
        raise error

    with connection.execute_wrapper(refuse):
        yield


SECRET = 'relation "orders_order" SELECT password FROM /srv/app/platform_site/settings.py line 7'
DOORS = ["/api/orders", "/api/v1/tasks", "/agents", "/api/v1/events", "/admin/"]


def is_silent(response):
    text = response.content.decode()
    return not any(word in text for word in ("SELECT", "/srv", ".py", "Traceback", "orders_order"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError(SECRET), 503), (ValueError(SECRET), 500)]
)
def test_a_forced_error_tells_nothing_but_how_to_find_it(client_as, path, error, status):
    """S27, API8:2023."""
    api = client_as("operator")
    api.raise_request_exception = False

    with database_that(error):
        response = api.get(path)

    assert response.status_code in (status, 302), response.content
    assert is_silent(response)
    if response.status_code != 302:
        body = response.json()
        assert isinstance(body["detail"], str)
        assert body["trace_id"] == response["X-Trace-Id"]
        assert (response.get("Retry-After") is not None) == (status == 503)


@pytest.mark.django_db
def test_the_door_answers_when_the_database_does_not(stranger):
    with database_that(OperationalError(SECRET)):
        assert stranger.get("/").status_code == 200


@pytest.fixture
def signed_in(person):
    client = Client(enforce_csrf_checks=True, headers={"accept": "text/html"})
    client.force_login(person("alice"))
    return client


@pytest.mark.django_db
def test_a_session_without_a_token_changes_nothing(signed_in):
    """S16: every unsafe route."""
    wrong = []
    for cell in CELLS:
        if cell.method == "GET":
            continue
        path = re.sub(r"\{\w+\}", "1", cell.route)
        response = signed_in.generic(cell.method, path, b"{}", "application/json")
        if response.status_code != 403:
            wrong.append(f"{cell.method} {cell.route}: {response.status_code}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/orders", "/api/products", "/api/v1/agents", "/agents"])
def test_a_browser_reads_lists_as_pages(signed_in, path):
    with CaptureQueriesContext(connection) as queries:
        response = signed_in.get(path)

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/html")
    assert len(queries) <= 15


@pytest.mark.django_db
def test_head_and_options_answer_on_every_route_as_get_does(api):
    """S7."""
    stage = make_stage()
    wrong = []
    for route in ROUTES:
        if route.endswith("/stream"):
            continue
        reads = any(cell.route == route and cell.method == "GET" for cell in CELLS)
        head = call(api, "HEAD", stage.path(route)).status_code
        options = call(api, "OPTIONS", stage.path(route)).status_code
        if (head < 400 or head == 422) != reads or options >= 500:
            wrong.append(f"{route}: HEAD {head}, OPTIONS {options}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_every_page_of_the_browsable_api_opens(signed_in):
    stage = make_stage()
    wrong = []
    for cell in CELLS:
        if cell.method != "GET" or cell.route.endswith(("/stream", "/pdf")):
            continue
        response = call(signed_in, "GET", stage.path(cell.route))
        is_page = response["Content-Type"].startswith("text/html")
        if response.status_code not in (200, 422) or not is_page:
            wrong.append(f"{cell.route}: {response.status_code}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_an_unknown_address_is_a_page_to_a_browser_and_json_to_a_program(signed_in, api):
    page, answer = signed_in.get("/nothing-here"), api.get("/nothing-here")

    assert (page.status_code, answer.status_code) == (404, 404)
    assert page["Content-Type"].startswith("text/html")
    assert isinstance(answer.json()["detail"], str)
