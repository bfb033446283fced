"""Messages: written in the business transaction, sent after it, once for each key."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from ecommerce.communications import events, sandbox
from ecommerce.communications.models import MessageTemplate, OutboundMessage
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid

Status = OutboundMessage.Status
DEFAULT_LOCALE = "en"


@requires("communications:edit")
@transaction.atomic
def template_save(
    *, code: str, subject: str, body: str, variables: list[str], locale: str = "en", actor: str
) -> MessageTemplate:
    """A new wording, in force from now on. Raises Invalid for words that cannot be rendered."""
    sandbox.check(subject, variables, field="subject")
    sandbox.check(body, variables, field="body")
    same = MessageTemplate.objects.filter(code=code, locale=locale)
    last = same.aggregate(last=Max("number"))["last"] or 0
    same.update(is_active=False, updated_at=timezone.now())
    template = MessageTemplate.objects.create(
        code=code,
        locale=locale,
        number=last + 1,
        subject=subject,
        body=body,
        variables=sorted(variables),
    )
    facts = {"code": code, "locale": locale, "number": template.number}
    emit(events.TEMPLATE_SAVED, template, actor=actor, **facts)
    return template


@requires("communications:edit")
@transaction.atomic
def message_queue(
    *,
    template: str,
    to: str,
    context: dict[str, Any],
    about: str,
    order_number: str = "",
    key: str,
    locale: str = DEFAULT_LOCALE,
    actor: str,
) -> OutboundMessage:
    """Queue one message for each `key`; queued before, that message. Without `to`: suppressed.

    `template` is a code; its newest wording in the language is used, else the English one. Raises
    Invalid for an unknown code and for a context that lacks a variable of the wording.
    """
    same = OutboundMessage.objects.filter(idempotency_key=key)
    if (known := same.first()) is not None:
        return known
    words = _wording(template, locale)
    missing = sorted(set(words.variables) - set(context))
    if missing:
        raise Invalid(f"The message {template} needs {missing[0]}.", field="context")
    to = to.strip()
    try:
        with transaction.atomic():
            message = OutboundMessage.objects.create(
                template=words,
                to=to,
                context=context,
                about=about,
                order_number=order_number,
                idempotency_key=key,
                status=Status.QUEUED if to else Status.SUPPRESSED,
            )
    except IntegrityError:
        return same.get()
    if to:
        emit(events.MESSAGE_QUEUED, message, actor=actor, **_facts(message))
    else:
        facts = {**_facts(message), "reason": "the customer has no contact"}
        emit(events.MESSAGE_SUPPRESSED, message, actor=actor, **facts)
    return message


@requires("communications:edit")
@transaction.atomic
def message_start(message: OutboundMessage, *, actor: str) -> OutboundMessage:
    """The message is handed to the provider now. Raises TransitionNotAllowed, StaleState."""
    return message.become(Status.SENDING, attempts=message.attempts + 1)


@requires("communications:edit")
@transaction.atomic
def message_sent(message: OutboundMessage, *, provider_id: str, actor: str) -> OutboundMessage:
    """The provider has it. Raises TransitionNotAllowed, StaleState."""
    message.become(Status.SENT, provider_id=provider_id, sent_at=timezone.now(), error="")
    emit(events.MESSAGE_SENT, message, actor=actor, **_facts(message))
    return message


@requires("communications:edit")
@transaction.atomic
def message_fail(message: OutboundMessage, *, error: str, actor: str) -> OutboundMessage:
    """Given up until somebody resends it. Raises TransitionNotAllowed, StaleState."""
    message.become(Status.FAILED, error=error[:300])
    emit(events.MESSAGE_FAILED, message, actor=actor, error=error[:300], **_facts(message))
    return message


@requires("communications:edit")
@transaction.atomic
def message_resend(message: OutboundMessage, *, actor: str) -> OutboundMessage:
    """Try a given-up message again, under its old key. Raises TransitionNotAllowed, StaleState."""
    message.become(Status.QUEUED, error="")
    emit(events.MESSAGE_QUEUED, message, actor=actor, **_facts(message))
    return message


def _wording(code: str, locale: str) -> MessageTemplate:
    rows = MessageTemplate.objects.filter(code=code, is_active=True)
    wordings = {row.locale: row for row in rows}
    for wanted in (locale, locale.split("-")[0], DEFAULT_LOCALE):
        if wanted in wordings:
            return wordings[wanted]
    raise Invalid(f"There is no message template {code}.", field="template")


def _facts(message: OutboundMessage) -> dict[str, str]:
    return {
        "template": message.template.code,
        "about": message.about,
        "order_number": message.order_number,
    }
