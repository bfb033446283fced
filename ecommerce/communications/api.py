"""Messages in the Commerce API: which wordings there are, and what became of each message."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.communications import services
from ecommerce.communications.models import MessageTemplate, OutboundMessage
from platform_site.common.api import ApiView, ReadViewSet, commerce
from platform_site.common.personal import masked


class MessageSerializer(serializers.ModelSerializer[OutboundMessage]):
    """A message without its words; the contact is masked without `customer:personal`."""

    class Meta:
        model = OutboundMessage
        fields = (
            "id",
            "template",
            "to",
            "status",
            "about",
            "order_number",
            "attempts",
            "error",
            "sent_at",
            "created_at",
            "updated_at",
        )

    template = serializers.CharField(source="template.code")

    def to_representation(self, message: OutboundMessage) -> dict[str, Any]:
        row = super().to_representation(message)
        if not self.context["view"].may("customer:personal"):
            row["to"] = masked(row["to"])
        return row


class MessageViewSet(ReadViewSet):
    """`/api/communications/messages`"""

    plural = "messages"
    queryset = OutboundMessage.objects.select_related("template")
    serializer_class = MessageSerializer
    not_found = "Message not found"
    access = {
        "list": "communications:view",
        "retrieve": "communications:view",
        "resend": services.message_resend,
    }

    def filtered(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        query = self.request.query_params
        wanted = {n: query[n] for n in ("status", "order_number", "about") if query.get(n)}
        return rows.filter(**wanted)

    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str) -> HttpResponseBase:
        """Try a given-up message again."""
        message = self.get_object()
        return self.once(lambda: self.respond(services.message_resend(message, actor=self.actor)))


class TemplatesView(ApiView):
    """`/api/communications/templates`"""

    access = {"get": "communications:view"}

    def get(self, request: Request) -> Response:
        """The wordings in force."""
        names = ("id", "code", "locale", "number", "subject", "body", "variables")
        rows = MessageTemplate.objects.filter(is_active=True)
        return Response({"templates": list(rows.values(*names))})


commerce.view("communications/templates", TemplatesView.as_view())
commerce.register("communications/messages", MessageViewSet)
