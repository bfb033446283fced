"""The catalogue through the Commerce API."""

from datetime import timedelta
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ecommerce.products import agent, services
from ecommerce.products.models import Category, Product, Sale, Variant
from messaging.models import Event
from tests.factories.products import make_merchant, make_product
from tests.factories.warehouses import make_warehouse

pytestmark = pytest.mark.django_db

WIZARD = {
    "display_name": "Hanging heart",
    "short_description": "A heart to hang",
    "brand": "Hearts & Co",
    "model_number": "H-1",
    "product_type": "simple",
    "key_features": ["white", "hangs"],
    "material": "tin",
    "warranty_period": "24 months",
    "specifications": {"candles": 1},
    "dimensions_length": 12.5,
    "dimensions_unit": "cm",
    "shipping_class": "small",
    "weight": 0.35,
    "weight_unit": "kg",
    "tax_rate": 0.2,
    "pricing_tiers": [{"min_quantity": 32, "price": "2.10"}],
    "handling_time_days": 1,
    "requires_shipping": True,
    "is_fragile": True,
    "gtin": "05012345678900",
    "certifications": ["CE"],
    "has_age_restriction": False,
    "export_restriction_countries": ["KP"],
    "safety_warnings": ["Never leave a candle alone."],
}


def wizard(**more):
    body = {"merchant_id": make_merchant().pk, "sku": "85123A", "name": "Hanging heart"}
    return {**body, "price": "2.55", **more}


def test_a_product_is_created_and_told(api):
    response = api.post("/api/products", wizard())

    assert response.status_code == 201
    row = response.json()
    assert (row["sku"], row["price"], row["amounts"]["price"]) == ("85123A", 2.55, "2.55")
    assert (row["status"], row["state"], row["slug"]) == ("draft", "draft", "hanging-heart")
    event = Event.objects.get(type="product.created")
    assert event.data == {"sku": "85123A", "name": "Hanging heart", "status": "draft"}


def test_every_field_of_the_wizard_is_saved_and_returned(api):
    london = make_warehouse("LON")
    part = make_product("71053")
    more = {
        "warehouse_inventory": [
            {"warehouse_id": london.pk, "quantity": 40, "low_stock_threshold": 5}
        ],
        "bundle_items": [{"product_id": part.pk, "quantity": 2}],
        "is_bundle": True,
    }

    row = api.post("/api/products", wizard(**WIZARD, **more)).json()

    assert {name: row[name] for name in WIZARD} == WIZARD
    assert {name: row[name] for name in more} == more
    assert row["weight_g"] == 350
    assert [level["available_quantity"] for level in row["inventory"]] == [40]
    assert api.get(f"/api/products/{row['id']}").json() == row


def test_a_wizard_with_one_wrong_part_saves_nothing(api):
    response = api.post("/api/products", wizard(bundle_items=[{"product_id": 99, "quantity": 1}]))

    assert response.status_code == 422
    assert response.json()["detail"] == "Product 99 cannot be in this bundle."
    assert not Product.objects.exists()
    assert not Event.objects.filter(type="product.created").exists()


@pytest.mark.parametrize(
    ("field", "value"), [("price", "1.234"), ("price", -1), ("merchant_id", 99), ("sku", "")]
)
def test_a_product_of_the_wrong_shape_is_refused(api, field, value):
    response = api.post("/api/products", wizard(**{field: value}))

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field
    assert not Product.objects.exists()


def test_a_sku_that_is_taken_is_a_conflict_and_nothing_happens(api):
    make_product("85123A")

    response = api.post("/api/products", wizard())

    assert response.status_code == 409
    assert response.json()["code"] == "sku_taken"
    assert Product.objects.count() == 1


def test_the_same_key_makes_one_product(api):
    body, key = wizard(), {"HTTP_IDEMPOTENCY_KEY": "one"}

    first, second = api.post("/api/products", body, **key), api.post("/api/products", body, **key)

    assert first.json()["id"] == second.json()["id"]
    assert Product.objects.count() == 1


def test_a_slug_that_is_taken_gets_a_number(api):
    make_product("1", name="Hanging heart")

    row = api.post("/api/products", wizard()).json()

    assert row["slug"] == "hanging-heart-2"


def test_a_product_without_a_price_cannot_be_sold(api):
    response = api.post("/api/products", wizard(price=0, is_draft=False))

    assert response.status_code == 409
    assert response.json()["detail"] == "Hanging heart cannot be sold yet: price missing."
    assert not Product.objects.exists()


def test_cost_is_shown_only_to_who_may_change_products(api, client_as):
    product = make_product(cost=Decimal("1.10"))

    seen = api.get(f"/api/products/{product.pk}").json()
    hidden = client_as("readonly").get(f"/api/products/{product.pk}").json()

    assert seen["cost"] == 1.1
    assert "cost" not in hidden
    assert all("cost" not in variant for variant in hidden["variants"])
    assert "cost" not in hidden["amounts"]


def test_a_change_says_old_and_new_but_never_the_cost(api):
    product = make_product("85123A", name="Heart")

    row = api.put(
        f"/api/products/{product.pk}", {"name": "Big heart", "price": 3, "cost": 1}
    ).json()

    assert (row["name"], row["price"], row["cost"]) == ("Big heart", 3, 1)
    changes = Event.objects.get(type="product.changed").data["changes"]
    assert changes == {"name": ["Heart", "Big heart"], "price": ["2.55", "3.00"], "cost": []}


def test_a_change_over_an_older_version_is_refused(api):
    product = make_product(name="Heart")
    api.put(f"/api/products/{product.pk}", {"name": "Star"})

    response = api.put(
        f"/api/products/{product.pk}", {"name": "Moon"}, HTTP_IF_MATCH=f'"{product.version}"'
    )

    assert response.status_code == 409
    assert Product.objects.get().name == "Star"


def test_the_sku_of_a_product_that_was_on_sale_stays(api):
    product = make_product("85123A")

    response = api.put(f"/api/products/{product.pk}", {"sku": "X"})

    assert response.status_code == 422
    assert Variant.objects.get().sku == "85123A"


def test_an_archived_product_says_what_it_may_become(api):
    product = make_product(name="Heart")
    api.put(f"/api/products/{product.pk}", {"status": "archived"})

    response = api.put(f"/api/products/{product.pk}", {"status": "active"})

    assert response.status_code == 409
    assert response.json()["detail"] == "Heart is archived; it can become draft, not active."
    assert response.json()["allowed"] == ["draft"]


def test_a_product_that_nothing_names_is_deleted(api):
    product = make_product()

    response = api.delete(f"/api/products/{product.pk}")

    assert (response.status_code, response.json()["archived"]) == (200, False)
    assert not Product.objects.exists()
    assert Event.objects.filter(type="product.deleted", entity_id=str(product.pk)).exists()


def test_a_product_that_was_sold_is_archived_instead(api):
    product = make_product()
    services.sales_record(
        order_number="ORD-1", lines=[(product.first_variant, 2)] * 2, actor="test"
    )

    response = api.delete(f"/api/products/{product.pk}")

    assert response.json()["archived"] is True
    product.refresh_from_db()
    assert (product.status, product.sales_count) == ("archived", 4)
    assert not Event.objects.filter(type="product.deleted").exists()


def test_a_sale_is_counted_once_and_never_deleted():
    product = make_product()
    for _ in range(2):
        services.sales_record(
            order_number="ORD-1", lines=[(product.first_variant, 3)], actor="test"
        )

    product.refresh_from_db()
    assert product.sales_count == 3
    with pytest.raises(TypeError):
        Sale.objects.get().delete()


def test_lists_filter_search_and_sort(api):
    cups = Category.objects.create(name="Cups", slug="cups")
    make_product("B-2", name="Blue cup", price=5, category=cups)
    make_product("A-1", name="Amber lamp", price=9)
    make_product("C-3", name="Cream jug", price=1, status="draft")

    def names(query):
        return [row["name"] for row in api.get(f"/api/products?{query}").json()["products"]]

    assert names("sort_by=price&sort_order=asc") == ["Cream jug", "Blue cup", "Amber lamp"]
    assert names("search=a-1") == ["Amber lamp"]
    assert names(f"category_id={cups.pk}") == ["Blue cup"]
    assert names("status=draft") == ["Cream jug"]
    assert names("category_id=x") == []
    assert api.get("/api/products/search?q=cup").json()["pagination"]["total"] == 1


def test_a_product_is_found_by_its_sku(api):
    product = make_product("85123A")

    assert api.get("/api/products/85123A").json()["id"] == product.pk
    assert api.get("/api/products/nothing").status_code == 404


def test_out_of_stock_is_a_word_and_a_filter(api):
    london = make_warehouse("LON")
    stock = [{"warehouse_id": london.pk, "quantity": 7}]
    make_product("HAS", name="Has", warehouse_inventory=stock)
    make_product("NOT", name="Has not")

    rows = api.get("/api/products?status=out_of_stock").json()["products"]
    stats = api.get("/api/products/stats").json()

    assert [(row["sku"], row["status"], row["state"]) for row in rows] == [
        ("NOT", "out_of_stock", "active")
    ]
    assert (stats["total_products"], stats["active_products"], stats["out_of_stock"]) == (2, 2, 1)
    assert (stats["total_value"], stats["amounts"]["total_value"]) == (17.85, "17.85")
    inventory = api.get("/api/products?search=HAS").json()["products"][-1]["inventory"]
    assert inventory == {"total_quantity": 7, "available_quantity": 7, "warehouses": 1}


def test_a_list_costs_the_same_queries_for_many_rows(api):
    make_product()
    api.get("/api/products")

    with CaptureQueriesContext(connection) as for_one:
        api.get("/api/products")
    for _ in range(19):
        make_product()
    with CaptureQueriesContext(connection) as for_many:
        rows = api.get("/api/products").json()["products"]

    assert len(rows) == 20
    assert len(for_many) == len(for_one)


def test_bulk_actions_say_what_they_refused(api):
    first, second = make_product(), make_product(status="draft", price=0, name="Free")

    body = [first.pk, second.pk, 999]
    moved = api.post("/api/products/bulk-update-status?status=active", body).json()
    gone = api.post("/api/products/bulk-delete", {"ids": [first.pk]}).json()

    assert (moved["success"], moved["updated_count"]) == (False, 1)
    assert [row["id"] for row in moved["failed"]] == [second.pk, 999]
    assert moved["failed"][0]["detail"] == "Free cannot be sold yet: price missing."
    assert (gone["success"], gone["deleted_count"]) == (True, 1)


def test_an_import_matches_by_sku_and_a_dry_run_keeps_nothing(api):
    make_product("OLD", name="Old")
    rows = [
        wizard(sku="OLD", name="New name"),
        wizard(sku="NEW"),
        wizard(sku="BAD", price="x"),
    ]

    tried = api.post("/api/products/bulk-import", {"products": rows, "dry_run": True}).json()
    kept = Product.objects.count()
    done = api.post("/api/products/bulk-import", {"products": rows}).json()

    assert kept == 1
    for answer in (tried, done):
        assert (answer["created"], answer["updated"]) == (["NEW"], ["OLD"])
        assert [(row["row"], row["sku"]) for row in answer["failed"]] == [(3, "BAD")]
    assert set(Product.objects.values_list("name", flat=True)) == {"New name", "Hanging heart"}


def test_categories_are_listed_and_a_slug_is_unique(api):
    body = {"name": "Cups", "slug": "cups"}
    created = api.post("/api/categories", body)
    again = api.post("/api/categories", body)
    api.post("/api/categories", {**body, "slug": "old", "is_active": False})

    assert (created.status_code, again.status_code) == (201, 409)
    assert [row["slug"] for row in api.get("/api/categories").json()["categories"]] == ["cups"]
    everything = api.get("/categories", SERVER_PORT="8001").json()["categories"]
    assert len(everything) == 2


@pytest.mark.parametrize("port", ["80", "8001", "8100"])
def test_the_shop_window_stands_on_the_main_doors(api, port):
    make_product(name="Plain")
    make_product(name="Star", is_featured=True)
    make_product(name="Newest")
    make_product(name="Hidden", status="draft")

    featured = api.get("/featured?limit=2", SERVER_PORT=port).json()
    arrivals = api.get("/api/new-arrivals", SERVER_PORT=port).json()

    assert [(row["name"], row["featured"], row["reviews"]) for row in featured] == [
        ("Star", True, 0),
        ("Newest", False, 0),
    ]
    assert [row["name"] for row in arrivals] == ["Newest", "Star", "Plain"]
    assert api.get("/featured?limit=51", SERVER_PORT=port).status_code == 422


def test_a_stranger_and_a_reader_change_nothing(stranger, client_as):
    assert stranger.get("/api/products").status_code == 401
    assert client_as("readonly").post("/api/products", wizard()).status_code == 403
    assert not Product.objects.exists()


def test_what_is_due_is_published_and_what_lacks_something_is_postponed():
    yesterday = timezone.now() - timedelta(days=1)
    ready = make_product(status="draft", scheduled_publish_at=yesterday)
    lacking = make_product(status="draft", price=0, scheduled_publish_at=yesterday)

    agent.publish_due()

    ready.refresh_from_db()
    lacking.refresh_from_db()
    assert (ready.status, lacking.status, lacking.publish_at) == ("active", "draft", None)
    assert "price missing" in Event.objects.get(type="product.postponed").data["reason"]


def test_an_imported_sku_is_one_product_at_the_last_price():
    make_merchant()
    ensure = services.variant_ensure
    first = ensure(sku="85123A", name="HEART", price=Decimal("2.55"), actor="test")
    again = ensure(sku="85123A", name="HEART", price=Decimal("2.95"), actor="test")
    free = ensure(sku="85123A", name="HEART", price=Decimal("0"), actor="test")

    assert first.pk == again.pk == free.pk
    assert free.price == Decimal("2.95")
    assert first.product.status == "active"
    assert Event.objects.get(type="variant.priced").data == {
        "sku": "85123A",
        "old": "2.55",
        "new": "2.95",
    }


@pytest.mark.django_db(transaction=True)
def test_many_at_once_ask_for_one_sku_and_get_one_product():
    make_merchant()
    found = []

    def ensure():
        try:
            price = Decimal("2.55")
            row = services.variant_ensure(sku="85123A", name="HEART", price=price, actor="test")
            found.append(row.pk)
        finally:
            connection.close()

    threads = [Thread(target=ensure) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    assert len(set(found)) == 1
    assert Product.objects.count() == 1
