"""People and companies who buy, where they want it sent, and what they bought."""

from typing import Any, Never

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from platform_site.common.models import BaseModel, StatefulModel, status_known
from platform_site.common.money import ZERO, MoneyField


class CustomerStatus(models.TextChoices):
    ACTIVE = "active"
    BLOCKED = "blocked"  # may not place orders


class Customer(StatefulModel):
    """Somebody who may place orders. The totals are caches over the ledger `Purchase`."""

    Status = CustomerStatus

    TRANSITIONS = {
        Status.ACTIVE: {Status.BLOCKED},
        Status.BLOCKED: {Status.ACTIVE},
    }

    user = models.OneToOneField(
        "auth.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="customer"
    )
    email = models.EmailField(blank=True)
    first_name = models.CharField(max_length=120, blank=True)
    last_name = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    external_ref = models.CharField(max_length=80, blank=True)  # its number in another system
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    customer_group = models.CharField(max_length=40, blank=True)
    locale = models.CharField(max_length=12, blank=True)
    tax_id = models.CharField(max_length=40, blank=True)
    tags = models.JSONField(default=list, blank=True)
    notes = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    currency = models.CharField(max_length=3, blank=True, editable=False)  # of the first purchase
    total_orders = models.PositiveIntegerField(default=0, editable=False)
    total_spent = MoneyField(default=ZERO, editable=False)
    last_order_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            status_known(CustomerStatus),
            models.UniqueConstraint(
                Lower("email"), condition=~Q(email=""), name="customers_customer_email_once"
            ),
            models.UniqueConstraint(
                fields=("external_ref",),
                condition=~Q(external_ref=""),
                name="customers_customer_external_ref_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"Customer {self.pk}"

    @property
    def name(self) -> str:
        """First and last name in one."""
        return f"{self.first_name} {self.last_name}".strip()


class Address(BaseModel):
    """A place to which a customer has things or invoices sent."""

    class Kind(models.TextChoices):
        SHIPPING = "shipping"
        BILLING = "billing"
        BOTH = "both"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="addresses")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.BOTH)
    is_default = models.BooleanField(default=False)
    first_name = models.CharField(max_length=120, blank=True)
    last_name = models.CharField(max_length=120, blank=True)
    company = models.CharField(max_length=200, blank=True)
    line1 = models.CharField(max_length=300, blank=True)
    line2 = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=120, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=80)  # ISO 3166-1 alpha-2, or the text given
    phone = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ("-is_default", "pk")
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(
                fields=("customer", "kind"),
                condition=Q(is_default=True),
                name="customers_address_one_default",
            )
        ]

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.line1, self.postal_code, self.city, self.country)))

    def snapshot(self) -> dict[str, Any]:
        """The address as orders, parcels and documents keep it."""
        return {
            "name": f"{self.first_name} {self.last_name}".strip() or self.customer.name,
            "company": self.company,
            "line1": self.line1,
            "line2": self.line2,
            "city": self.city,
            "state": self.state,
            "postal_code": self.postal_code,
            "country": self.country,
            "phone": self.phone or self.customer.phone,
            "email": self.customer.email,
        }


class Purchase(models.Model):
    """One delivered order in a customer's ledger; written once, never changed or deleted."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="purchases")
    order_number = models.CharField(max_length=40, unique=True)
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.order_number}: {self.amount} {self.currency}"

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Ledger rows stay. Raises TypeError always."""
        raise TypeError("A purchase is a ledger row and is never deleted.")
