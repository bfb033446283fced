"""The words of the messages that a fresh installation sends."""

from django.db import transaction

from ecommerce.communications.models import MessageTemplate
from ecommerce.communications.services import template_save

# code -> subject, body, variables
TEMPLATES: dict[str, tuple[str, str, list[str]]] = {
    "order-confirmation": (
        "Your order {{ order_number }}",
        """Dear {{ name|default:"customer" }},

thank you for your order {{ order_number }}. It is confirmed:

{% for line in lines %}{{ line.quantity }} x {{ line.name }}
{% endfor %}
Total: {{ total|amount }} {{ currency }}

We write again when it is on its way.
""",
        ["order_number", "name", "lines", "total", "currency"],
    ),
    "order-shipped": (
        "Your order {{ order_number }} is on its way",
        """Dear {{ name|default:"customer" }},

your order {{ order_number }} has left our house with {{ carrier }}.
Tracking number: {{ tracking_number }}{% if tracking_url %}
Follow it here: {{ tracking_url }}{% endif %}
""",
        ["order_number", "name", "carrier", "tracking_number", "tracking_url"],
    ),
    "invoice": (
        "Invoice {{ document_number }} for your order {{ order_number }}",
        """Dear {{ name|default:"customer" }},

invoice {{ document_number }} over {{ total|amount }} {{ currency }} for your order
{{ order_number }} has been issued.
""",
        ["order_number", "name", "document_number", "total", "currency"],
    ),
    "order-cancelled": (
        "Your order {{ order_number }} is cancelled",
        """Dear {{ name|default:"customer" }},

your order {{ order_number }} is cancelled{% if reason %}: {{ reason }}{% endif %}.
What you paid is being given back.
""",
        ["order_number", "name", "reason"],
    ),
    "payment-failed": (
        "The payment for your order {{ order_number }} did not work",
        """Dear {{ name|default:"customer" }},

the payment of {{ total|amount }} {{ currency }} for your order {{ order_number }} was declined.
Please pay in another way; the goods are kept for you again as far as they are still there.
""",
        ["order_number", "name", "total", "currency"],
    ),
}


@transaction.atomic
def ensure(*, actor: str) -> None:
    """Every message has a wording in English; one that somebody wrote is left alone."""
    known = set(MessageTemplate.objects.values_list("code", flat=True))
    for code, (subject, body, variables) in TEMPLATES.items():
        if code not in known:
            template_save(code=code, subject=subject, body=body, variables=variables, actor=actor)
