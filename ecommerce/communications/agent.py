"""The communication agent: sends what is queued."""

from typing import Any

from ecommerce.communications import events, mail, sandbox, services
from ecommerce.communications.models import OutboundMessage
from tasks.handlers import handles

Status = OutboundMessage.Status


@handles(on=events.MESSAGE_QUEUED)
def send(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Render the message and hand it to the mail provider under its key, once."""
    message = OutboundMessage.objects.select_related("template").get(pk=event["entity_id"])
    if message.status == Status.QUEUED:
        services.message_start(message, actor=actor)
    elif message.status != Status.SENDING:  # sending: a process died after it began
        return {"message": message.pk, "skipped": f"already {message.status}"}
    template = message.template
    try:
        name = mail.deliver(
            key=message.idempotency_key,
            to=message.to,
            subject=sandbox.render(template.subject, message.context),
            body=sandbox.render(template.body, message.context),
            at=message.created_at,
        )
    except ValueError as error:  # the address or a header is no mail; another try changes nothing
        services.message_fail(message, error=str(error), actor=actor)
        return {"message": message.pk, "failed": str(error)}
    services.message_sent(message, provider_id=name, actor=actor)
    return {"message": message.pk, "file": name}
