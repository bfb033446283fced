"""Messages to customers in the console."""

from django.contrib import admin
from django.http import HttpRequest

from ecommerce.communications import services
from ecommerce.communications.models import MessageTemplate, OutboundMessage
from messaging.history import history
from platform_site.common.admin import (
    Panel,
    ReadOnlyAdmin,
    ago,
    chip,
    mono,
    pretty_json,
    quantity,
    search_link,
    service_action,
    timeline,
)


@admin.register(OutboundMessage)
class OutboundMessageAdmin(ReadOnlyAdmin):
    """Each message to a customer, and whether it arrived."""

    view_permission = "communications:view"
    icon, rank = "mail", 30
    personal = ("to", context := pretty_json("context"))
    list_display = (
        "__str__",
        chip("status"),
        "to",
        search_link("order_number", "orders_order", "order"),
        quantity("attempts", "tries"),
        ago("created_at", "written"),
        ago("sent_at", "sent"),
    )
    list_filter = ("status", "template__code")
    list_select_related = ("template",)
    search_fields = ("=order_number", "=to")
    fields = (
        ("template", chip("status"), "to"),
        (search_link("order_number", "orders_order", "order"), "about"),
        ("attempts", "created_at", "sent_at"),
        ("provider_id", "error"),
        context,
    )
    actions = [
        service_action(
            services.message_resend,
            "Send again",
            to=OutboundMessage.Status.QUEUED,
            when=lambda message: message.status == OutboundMessage.Status.FAILED,
            icon="forward_to_inbox",
            effect="The communication agent tries again at once.",
        ),
    ]

    def panels(self, request: HttpRequest, row: OutboundMessage) -> list[Panel]:
        return [timeline(history(row))]


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ReadOnlyAdmin):
    """The words; a new wording is a new row."""

    view_permission = "communications:view"
    icon, rank = "article", 80
    list_display = (mono("code"), "locale", "number", "subject", "is_active")
    list_filter = ("code", "locale", "is_active")
    fields = (("code", "locale", "number"), "subject", "body", "variables", "is_active")
