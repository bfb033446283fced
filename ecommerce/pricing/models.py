"""What the state asks for: tax rates by country, class and day."""

from django.db import models
from django.db.models import F, Q

from platform_site.common.models import BaseModel


class TaxRate(BaseModel):
    """The share of the net price that a country takes for a class of goods, from one day on."""

    country = models.CharField(max_length=2)  # ISO 3166-1 alpha-2
    region = models.CharField(max_length=20, blank=True)
    tax_class = models.CharField(max_length=20, default="standard")
    rate = models.DecimalField(max_digits=6, decimal_places=4)  # 0.2000 is 20 %
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)  # the last day

    class Meta:
        ordering = ("country", "region", "tax_class", "-valid_from")
        constraints = [
            models.UniqueConstraint(
                fields=("country", "region", "tax_class", "valid_from"),
                name="pricing_taxrate_once_a_day",
            ),
            models.CheckConstraint(
                condition=Q(rate__gte=0) & Q(rate__lt=1), name="pricing_taxrate_rate_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="pricing_taxrate_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.tax_class} {self.rate:.2%}"
