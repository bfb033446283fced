"""The service codes of wholesalers' files that a fresh installation knows."""

from ecommerce.orders.models import ServiceCode
from ecommerce.orders.services.codes import service_code_set

CODES = {
    "POST": "Postage",
    "DOT": "Dotcom postage",
    "C2": "Carriage",
    "M": "Manual charge",
    "D": "Discount",
    "S": "Samples",
    "BANK CHARGES": "Bank charges",
    "AMAZONFEE": "Amazon fee",
    "CRUK": "CRUK commission",
    "PADS": "Pads to match all cushions",
}


def ensure(*, actor: str) -> None:
    """The known codes, where there are none yet; what people changed stays."""
    known = set(ServiceCode.objects.values_list("code", flat=True))
    for code, name in CODES.items():
        if code not in known:
            service_code_set(code=code, name=name, actor=actor)
