"""Which stock codes are services: editable rows."""

from django.db import transaction

from ecommerce.orders import events
from ecommerce.orders.models import ServiceCode
from messaging.events import emit
from platform_site.common.access import requires


@requires("orders:edit")
@transaction.atomic
def service_code_set(*, code: str, name: str, active: bool = True, actor: str) -> ServiceCode:
    """The code stands for a service, or, not active, for goods again."""
    row, _ = ServiceCode.objects.update_or_create(
        code=code.strip(), defaults={"name": name, "active": active}
    )
    emit(events.SERVICE_CODE_CHANGED, row, actor=actor, code=row.code, active=active)
    return row
