"""The tree of categories."""

from django.db import IntegrityError, transaction

from ecommerce.products import events
from ecommerce.products.models import Category
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Refusal


class SlugTaken(Refusal):
    """Another category has this slug."""

    code = "slug_taken"


@requires("products:edit")
@transaction.atomic
def category_create(
    *,
    name: str,
    slug: str,
    description: str = "",
    parent: Category | None = None,
    is_active: bool = True,
    sort_order: int = 0,
    image_url: str = "",
    actor: str,
) -> Category:
    """A new node of the tree. Raises SlugTaken."""
    try:
        with transaction.atomic():
            category = Category.objects.create(
                name=name,
                slug=slug,
                description=description,
                parent=parent,
                is_active=is_active,
                sort_order=sort_order,
                image_url=image_url,
            )
    except IntegrityError as error:
        raise SlugTaken(f"There is a category {slug} already.", slug=slug) from error
    emit(events.CATEGORY_CREATED, category, actor=actor, slug=slug)
    return category
