"""Invoices: numbers without a gap, snapshots for ever, files with the same bytes."""

import base64
import hashlib
import random
import zlib
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from django.db import OperationalError, connection, transaction

from ecommerce.documents import files, first_run, pdf, services
from ecommerce.documents.models import Document, NumberSeries
from messaging.models import Event
from platform_site.common.errors import Invalid
from tests.factories.documents import make_invoice, make_snapshot

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DOCUMENTS = tmp_path / "documents"
    return settings.DOCUMENTS


@pytest.fixture
def on_day(monkeypatch):
    def travel(day):
        monkeypatch.setattr(services.timezone, "now", lambda: day)

    return travel


def test_an_invoice_gets_the_next_number_and_its_file(run_agents, folder):
    first, second = make_invoice("orders.fulfillment:1"), make_invoice("orders.fulfillment:2")
    run_agents()

    first.refresh_from_db()
    year = first.issued_at.year
    assert (first.number, second.number) == (f"INV-{year}-000001", f"INV-{year}-000002")
    content = (folder / first.path).read_bytes()
    assert content.startswith(b"%PDF-")
    assert (first.status, first.sha256) == ("rendered", hashlib.sha256(content).hexdigest())
    assert [p.name for p in sorted(Path(folder).rglob("*.*"))] == [
        f"INV-{year}-000001.pdf",
        f"INV-{year}-000002.pdf",
    ]


def test_a_subject_has_one_invoice(run_agents):
    first, again = make_invoice(), make_invoice()

    assert first.pk == again.pk
    assert NumberSeries.objects.get(key="INV").next_number == 2
    assert Event.objects.filter(type="document.issued").count() == 1


def test_rendered_again_it_has_the_same_bytes(run_agents, folder):
    invoice = make_invoice()
    run_agents()
    invoice.refresh_from_db()
    before = (folder / invoice.path).read_bytes()

    (folder / invoice.path).unlink()
    path, sha256 = files.write(Document.objects.get())
    services.document_rendered(invoice, path=path, sha256=sha256, actor="test")

    assert (folder / path).read_bytes() == before
    assert Event.objects.filter(type="document.rendered").count() == 1


def test_a_file_that_came_out_different_is_refused(run_agents):
    invoice = make_invoice()
    run_agents()
    invoice.refresh_from_db()

    with pytest.raises(Invalid, match="different"):
        services.document_rendered(invoice, path=invoice.path, sha256="0" * 64, actor="test")

    assert Document.objects.get().sha256 == invoice.sha256


def test_a_number_is_not_taken_where_the_transaction_fails():
    first_run.ensure(actor="test")
    with transaction.atomic():
        make_invoice("orders.fulfillment:1")
        transaction.set_rollback(True)

    assert make_invoice("orders.fulfillment:2").number.endswith("-000001")


def test_numbers_begin_again_with_the_year_and_never_run_back(on_day):
    on_day(NOON)
    make_invoice("1")
    on_day(NOON.replace(year=2027))
    make_invoice("2")
    on_day(NOON)
    make_invoice("3")

    numbers = Document.objects.order_by("pk").values_list("number", flat=True)
    assert list(numbers) == ["INV-2026-000001", "INV-2027-000001", "INV-2027-000002"]


def test_a_credit_note_takes_the_invoice_back_once(run_agents):
    invoice = make_invoice()
    note = services.document_credit(invoice, actor="alice")
    again = services.document_credit(Document.objects.get(pk=invoice.pk), actor="alice")
    run_agents()

    note.refresh_from_db()
    invoice.refresh_from_db()
    assert note.pk == again.pk
    assert note.number.startswith("CN-")
    assert (note.status, note.refers, invoice.status) == ("rendered", invoice, "credited")
    assert invoice.path  # its file is still made: credited does not mean gone
    assert (note.snapshot["total"], note.snapshot["lines"][0]["quantity"]) == ("-36.72", -6)
    assert Event.objects.filter(type="document.credited").count() == 1


def test_a_credit_note_is_not_credited():
    note = services.document_credit(make_invoice(), actor="alice")

    with pytest.raises(Invalid):
        services.document_credit(note, actor="alice")

    assert Document.objects.count() == 2


def test_an_issued_document_is_never_deleted():
    invoice = make_invoice()

    with pytest.raises(TypeError):
        invoice.delete()

    assert Document.objects.exists()


def test_the_pdf_is_sent_to_who_may_read_personal_data(api, client_as, stranger, run_agents):
    invoice = make_invoice()
    fresh = api.get(f"/api/documents/{invoice.pk}/pdf")
    run_agents()
    kept = api.get(f"/api/documents/{invoice.number}/pdf")

    assert (fresh.status_code, fresh["Content-Type"]) == (200, "application/pdf")
    assert fresh.content == kept.content
    assert kept["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'
    assert client_as("readonly").get(f"/api/documents/{invoice.pk}/pdf").status_code == 403
    assert stranger.get(f"/api/documents/{invoice.pk}/pdf").status_code == 401
    assert api.get("/api/documents/99/pdf").status_code == 404


def test_a_file_that_somebody_changed_is_not_sent(api, folder, run_agents):
    invoice = make_invoice()
    run_agents()
    invoice.refresh_from_db()
    (folder / invoice.path).write_bytes(b"%PDF-forged")

    response = api.get(f"/api/documents/{invoice.pk}/pdf")

    assert response.status_code == 409
    assert response.json()["code"] == "file_differs"


def test_documents_are_listed_without_what_they_say(api):
    invoice = make_invoice()

    row = api.get("/api/documents?order_number=ORD-000007").json()["documents"][0]

    assert (row["number"], row["document_type"]) == (invoice.number, "invoice")
    assert "snapshot" not in row


@pytest.mark.parametrize("lines", [1, 600])
def test_a_long_invoice_goes_over_pages_that_are_counted(lines):
    invoice = make_invoice(snapshot=make_snapshot(lines=lines))

    content = pdf.rendered(invoice)

    pages = content.count(b"/Type /Page\n")
    assert pages == (1 if lines == 1 else 14)
    assert pdf.rendered(invoice) == content


@pytest.mark.parametrize("name", ["Καλλιτεχνικά Δώρα", "Zofia Żółkiewska-Łoś", "Ada <b> & Co"])
def test_names_in_greek_and_polish_have_all_their_letters(name):
    content = pdf.rendered(make_invoice(snapshot=make_snapshot(name=name)))

    letters = {f"{ord(letter):04X}" for letter in name if letter.isalpha()}
    assert letters <= letters_of(content)


def letters_of(content):
    """The characters that the embedded fonts of a PDF map to."""
    found = set()
    for part in content.split(b"stream\n")[1:]:
        raw = part.split(b"endstream")[0].strip()
        for text in decoded(raw):
            if b"beginbfrange" in text or b"beginbfchar" in text:
                found |= set(text.decode("latin-1").replace("<", " ").replace(">", " ").split())
    return found


def decoded(raw):
    yield raw
    try:
        yield zlib.decompress(raw)
    except zlib.error:
        try:
            yield zlib.decompress(base64.a85decode(raw.removesuffix(b"~>")))
        except (ValueError, zlib.error):
            return


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turns", [6, pytest.param(40, marks=pytest.mark.stress)])
def test_ten_at_once_number_without_gap_or_double_though_some_fail(turns):
    first_run.ensure(actor="test")
    failed = []

    def issue(worker):
        chance = random.Random(worker)
        try:
            for turn in range(turns):
                gives_up = chance.random() < 0.15
                _issue_one(f"orders.fulfillment:{worker}-{turn}", gives_up=gives_up)
                failed.extend([turn] * gives_up)
        finally:
            connection.close()

    threads = [Thread(target=issue, args=(worker,)) for worker in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    issued = Document.objects.values_list("number", flat=True)
    numbers = sorted(int(number.rsplit("-")[-1]) for number in issued)
    assert 0 < len(failed) < 10 * turns / 4
    assert numbers == list(range(1, 10 * turns - len(failed) + 1))


def _issue_one(subject, *, gives_up):
    for _ in range(5):
        try:
            with transaction.atomic():
                services.document_issue(
                    kind="invoice",
                    subject=subject,
                    order_number="ORD-000007",
                    snapshot=make_snapshot(),
                    actor="test",
                )
                transaction.set_rollback(gives_up)
        except OperationalError:  # a lock that took too long: the caller's task tries again
            continue
        return
    raise AssertionError(f"{subject} could not be issued")
