"""The product agent: puts products on sale when their day has come."""

from django.utils import timezone

from ecommerce.agents import BY_PACKAGE
from ecommerce.products import services
from ecommerce.products.models import Product
from platform_site.common.errors import Refusal
from tasks.ticks import tick

ACTOR = BY_PACKAGE["products"].agent_id
PER_TICK = 100


@tick(every_s=30)
def publish_due() -> None:
    """Publish what is due and complete; the rest stays a draft, and an event says so."""
    due = Product.objects.filter(status=Product.Status.DRAFT, publish_at__lte=timezone.now())
    for product in due.order_by("publish_at")[:PER_TICK]:
        try:
            services.product_publish(product, actor=ACTOR)
        except Refusal as refusal:
            services.product_postpone(product, reason=refusal.detail, actor=ACTOR)
