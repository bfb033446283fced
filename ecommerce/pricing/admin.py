"""Tax rates in the console."""

from django.contrib import admin

from ecommerce.pricing.models import TaxRate
from platform_site.common.admin import ReadOnlyAdmin


@admin.register(TaxRate)
class TaxRateAdmin(ReadOnlyAdmin):
    """What the state asks for, from which day on."""

    view_permission = "pricing:view"
    icon, rank = "percent", 85
    list_display = ("country", "region", "tax_class", "percent", "valid_from", "valid_to")
    list_filter = ("country", "tax_class")

    @admin.display(description="rate", ordering="rate")
    def percent(self, rate: TaxRate) -> str:
        return f"{rate.rate:.2%}"
