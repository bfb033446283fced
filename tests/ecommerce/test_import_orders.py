"""`manage.py import_orders`: each order once, as it was sold, and then the agents take over."""

import io
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ecommerce.customers.models import Customer
from ecommerce.inventory.models import StockLevel, StockMovement
from ecommerce.orders.models import ImportedDocument, ImportRun, Order, OrderItem
from ecommerce.orders.reconcile import all_differences
from ecommerce.orders.services import importing
from ecommerce.products.models import Variant
from tests.factories.orders import open_shop

pytestmark = pytest.mark.django_db

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
LINES = (
    "536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26,2.55,17850,United Kingdom",
    "536365,71053,METAL LANTERN,6,2010-12-01 08:26,3.39,17850,United Kingdom",
    "536365,71053,METAL LANTERN,2,2010-12-01 08:26,3.39,17850,United Kingdom",
    "536370,POST,POSTAGE,3,2010-12-01 08:45,18,12583,EIRE",
    "536370,71053,METAL LANTERN,4,2010-12-01 08:45,3.75,12583,EIRE",
    "536544,71053,METAL LANTERN,1,2010-12-01 14:32,4.25,,United Kingdom",
    "536779,BANK CHARGES,Bank Charges,1,2010-12-02 15:08,15,15823,United Kingdom",
    "C536379,71053,METAL LANTERN,-1,2010-12-02 09:41,3.39,17850,United Kingdom",
    "536589,21777,,-10,2010-12-01 16:50,0,,United Kingdom",
)


@pytest.fixture(autouse=True)
def shop(db):
    open_shop()


@pytest.fixture
def sales(tmp_path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text("\n".join([HEADER, *LINES]))
    return path


def run(path: Path, **options: str) -> str:
    out = io.StringIO()
    call_command("import_orders", str(path), stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_orders_are_imported_as_they_were_sold(sales):
    report = run(sales)

    assert "4 in the file: 4 new, 0 known already" in report
    assert "130.67 GBP in 7 lines" in report
    order = Order.objects.get(external_ref="536370")
    assert (order.origin, order.payment_method, order.tax) == ("import", "account", 0)
    assert order.total == Decimal("69.00")
    assert order.placed_at.isoformat() == "2010-12-01T08:45:00+00:00"
    assert order.shipping_address["country"] == "IE"
    assert order.items.get(sku="POST").variant is None
    assert Variant.objects.get(sku="71053").price == Decimal("4.25")
    assert OrderItem.objects.filter(order__external_ref="536365").count() == 3
    assert Customer.objects.count() == 3
    assert Order.objects.get(external_ref="536544").customer is None


def test_credit_notes_are_kept_and_linked_and_odd_lines_are_reported(sales):
    report = run(sales)

    note = ImportedDocument.objects.get(kind="credit_note")
    assert note.order == Order.objects.get(external_ref="536365")
    assert ImportedDocument.objects.get(kind="odd_lines").external_ref == "536589"
    assert "line 10, 536589 21777: negative quantity" in report
    assert not Variant.objects.filter(sku="21777").exists()


def test_the_same_file_twice_changes_nothing(sales):
    run(sales)
    before = (StockMovement.objects.count(), Order.objects.count(), Customer.objects.count())

    report = run(sales)

    assert "4 in the file: 0 new, 4 known already" in report
    after = (StockMovement.objects.count(), Order.objects.count(), Customer.objects.count())
    assert before == after


def test_an_import_that_dies_in_the_middle_goes_on_where_it_was(sales, monkeypatch):
    imported = importing.order_import

    def die(sale, **rest):
        if sale.number == "536544":
            raise KeyboardInterrupt
        return imported(sale, **rest)

    monkeypatch.setattr(importing, "order_import", die)
    with pytest.raises(KeyboardInterrupt):
        run(sales)
    monkeypatch.undo()
    assert Order.objects.count() == 2

    report = run(sales)

    assert "2 new, 2 known already" in report
    assert [run.status for run in ImportRun.objects.order_by("pk")] == ["failed", "done"]
    assert Order.objects.count() == 4


def test_imported_orders_go_through_the_agents_and_everything_adds_up(sales, run_agents):
    run(sales)

    run_agents()

    statuses = dict(Order.objects.values_list("external_ref", "status"))
    assert statuses == {
        "536365": "shipped",
        "536370": "shipped",
        "536544": "shipped",
        "536779": "delivered",  # a service: nothing to ship
    }
    assert {level.on_hand for level in StockLevel.objects.all()} == {0}
    assert all_differences() == []
    out = io.StringIO()
    call_command("reconcile", stdout=out)
    assert out.getvalue().startswith("All is right: 4 orders")


def test_reconcile_fails_where_a_figure_is_wrong(sales):
    run(sales)
    StockLevel.objects.filter(variant__sku="71053").update(on_hand=999)

    with pytest.raises(CommandError, match="figure"):
        call_command("reconcile", stdout=io.StringIO())


def test_an_unknown_channel_and_an_ambiguous_file_import_nothing(sales, tmp_path):
    with pytest.raises(CommandError, match="There is no sales channel shop"):
        run(sales, channel="shop")
    unclear = tmp_path / "unclear.csv"
    unclear.write_text(f"{HEADER}\n1,A,TIN,1,1/2/2010 8:26,1.00,1,France\n")
    with pytest.raises(CommandError, match="--date-format"):
        run(unclear)

    assert not Order.objects.exists()
    run(unclear, date_format="DMY")
    assert Order.objects.get().placed_at.month == 2
