"""Messages: queued with the business, sent after it, once."""

import email
from email.policy import default as mail_policy
from pathlib import Path

import pytest
from django.db import transaction

from ecommerce.communications import first_run, mail, sandbox, services
from ecommerce.communications.models import MessageTemplate, OutboundMessage
from messaging.models import Event
from platform_site.common.errors import Invalid

pytestmark = pytest.mark.django_db

CONTEXT = {
    "order_number": "ORD-000007",
    "name": "Ada & Co",
    "lines": [{"quantity": 6, "name": "HEART <white>"}],
    "total": "1234.50",
    "currency": "GBP",
}


@pytest.fixture(autouse=True)
def outbox(settings, tmp_path):
    settings.MAIL = tmp_path / "mail"
    return settings.MAIL


def queue(key="order:7:confirmation", **more):
    first_run.ensure(actor="test")
    fields = {
        "template": "order-confirmation",
        "to": "ada@example.org",
        "context": CONTEXT,
        "about": "orders.order:7",
        "order_number": "ORD-000007",
        **more,
    }
    return services.message_queue(key=key, **fields, actor="test")


def mails(outbox: Path):
    return [email.message_from_bytes(p.read_bytes(), policy=mail_policy) for p in outbox.iterdir()]


def test_a_queued_message_is_sent_as_a_file(run_agents, outbox):
    message = queue()
    assert not outbox.exists()

    run_agents()

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("sent", 1)
    [sent] = mails(outbox)
    assert (sent["To"], sent["Subject"]) == ("ada@example.org", "Your order ORD-000007")
    text = sent.get_content().splitlines()
    assert text[0] == "Dear Ada & Co,"
    assert text[4:7] == ["6 x HEART <white>", "", "Total: 1,234.50 GBP"]
    assert Event.objects.get(type="message.sent").data == {
        "template": "order-confirmation",
        "about": "orders.order:7",
        "order_number": "ORD-000007",
    }


def test_one_key_is_one_message(run_agents, outbox):
    first, again = queue(), queue(to="somebody@example.org")
    run_agents()

    assert first.pk == again.pk
    assert [sent["To"] for sent in mails(outbox)] == ["ada@example.org"]


def test_a_rollback_sends_nothing(run_agents, outbox):
    with transaction.atomic():
        queue()
        transaction.set_rollback(True)
    run_agents()

    assert not OutboundMessage.objects.exists()
    assert not outbox.exists()


def test_a_process_that_dies_between_sending_and_recording_sends_nothing_twice(run_agents, outbox):
    message = queue()
    services.message_start(message, actor="test")
    words = {"to": "ada@example.org", "subject": "s", "body": "the first"}
    mail.deliver(key=message.idempotency_key, at=message.created_at, **words)

    run_agents()

    message.refresh_from_db()
    assert message.status == "sent"
    assert [sent.get_content().strip() for sent in mails(outbox)] == ["the first"]


def test_a_customer_without_a_contact_gets_nothing_and_it_is_said(run_agents, outbox):
    message = queue(to=" ")
    run_agents()

    message.refresh_from_db()
    assert message.status == "suppressed"
    assert not outbox.exists()
    assert Event.objects.get(type="message.suppressed").data["reason"] == (
        "the customer has no contact"
    )


def test_a_line_break_in_a_subject_begins_no_header(run_agents, outbox):
    queue(context={**CONTEXT, "order_number": "1\nBcc: eve@example.org"})
    run_agents()

    [sent] = mails(outbox)
    assert sent["Bcc"] is None
    assert sent["Subject"] == "Your order 1 Bcc: eve@example.org"


def test_a_message_needs_all_variables_of_its_wording():
    with pytest.raises(Invalid, match="needs total"):
        queue(context={k: v for k, v in CONTEXT.items() if k != "total"})
    with pytest.raises(Invalid, match="no message template"):
        queue(template="nothing")

    assert not OutboundMessage.objects.exists()


@pytest.mark.parametrize("code", sorted(first_run.TEMPLATES))
def test_every_wording_of_the_first_run_can_be_sent(run_agents, outbox, code):
    variables = first_run.TEMPLATES[code][2]
    context = {name: CONTEXT.get(name, "x") for name in variables}
    queue(key=code, template=code, context=context)
    run_agents()

    assert len(mails(outbox)) == 1


@pytest.mark.parametrize(
    "body",
    [
        "{% include '/etc/passwd' %}",
        "{% load static %}",
        "{% debug %}",
        "{% extends 'base.html' %}",
        "{{ name|safe }}",
        "{{ nam }}",
        "{% for line in rows %}{{ line }}{% endfor %}",
        "{% if age > 3 %}old{% endif %}",
        "{{ name|default:other }}",
        "{% if name %}never closed",
    ],
)
def test_a_wording_reaches_nothing_but_its_variables(body):
    with pytest.raises(Invalid):
        services.template_save(
            code="note", subject="Hello", body=body, variables=["name", "lines"], actor="test"
        )

    assert not MessageTemplate.objects.exists()


def test_a_loop_brings_its_own_names():
    body = "{% for line in lines %}{{ forloop.counter }} {{ line.name }}{% endfor %}"

    services.template_save(
        code="note", subject="{{ name }}", body=body, variables=["name", "lines"], actor="test"
    )

    assert sandbox.render(body, {"lines": [{"name": "a"}]}) == "1 a"


def test_a_new_wording_counts_from_now_on_and_old_messages_keep_theirs(run_agents, outbox):
    old = queue("1")
    services.template_save(
        code="order-confirmation", subject="New", body="New", variables=[], actor="alice"
    )
    new = queue("2")

    assert (old.template.number, new.template.number) == (1, 2)
    assert (old.template.subject, new.template.subject) == ("Your order {{ order_number }}", "New")


def test_messages_are_listed_with_a_masked_contact(api, client_as):
    queue()

    seen = api.get("/api/communications/messages?order_number=ORD-000007").json()["messages"]
    masked = client_as("readonly").get("/api/communications/messages").json()["messages"]

    assert [row["to"] for row in seen] == ["ada@example.org"]
    assert [row["to"] for row in masked] == ["a***@example.org"]
    assert len(api.get("/api/communications/templates").json()["templates"]) == 5


def test_a_mail_that_cannot_be_written_fails_and_may_be_sent_again(api, run_agents, outbox):
    message = queue(to="the shop next door")
    run_agents()

    message.refresh_from_db()
    assert (message.status, message.error) == ("failed", "the shop next door is no mail address.")
    OutboundMessage.objects.update(to="ada@example.org")
    assert api.post(f"/api/communications/messages/{message.pk}/resend").status_code == 200
    run_agents()
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("sent", 2)
    assert api.post(f"/api/communications/messages/{message.pk}/resend").status_code == 409
