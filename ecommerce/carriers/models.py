"""Who carries parcels, what it costs to which zone, and what happened to each parcel."""

from typing import Any, Never

from django.db import models
from django.db.models import Q

from platform_site.common.models import BaseModel, StatefulModel, status_known
from platform_site.common.money import MoneyField


class Carrier(BaseModel):
    """A company that carries parcels, reached through one of our providers."""

    name = models.CharField(max_length=120)
    code = models.SlugField(max_length=40, unique=True)
    provider = models.CharField(max_length=40, default="simulator")
    tracking_url_template = models.CharField(max_length=300, blank=True)
    api_endpoint = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True)
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name


class CarrierService(BaseModel):
    """One product of a carrier, such as next-day parcels."""

    class Kind(models.TextChoices):
        PARCEL = "parcel"
        FREIGHT = "freight"
        OWN_FLEET = "own_fleet"

    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="services")
    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PARCEL)
    transit_days = models.PositiveSmallIntegerField()
    simulated_transit_s = models.PositiveIntegerField(default=60)  # the simulator's journey
    max_weight_g = models.PositiveIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("carrier", "code"), name="carriers_carrierservice_code_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.carrier} {self.name}"


class Zone(BaseModel):
    """A part of the world that costs the same to reach."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name


class ZoneRule(BaseModel):
    """What belongs to a zone: a country, a postcode prefix in it, or (no country) the rest."""

    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="rules")
    country = models.CharField(max_length=2, blank=True)
    postal_prefix = models.CharField(max_length=10, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("country", "postal_prefix"), name="carriers_zonerule_place_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.country or 'the rest'} {self.postal_prefix}".strip()


class RateRule(BaseModel):
    """The price of a service to a zone up to a weight, or a value where no weight is known."""

    class Measure(models.TextChoices):
        WEIGHT = "weight"  # grams
        PRICE = "price"  # value of the goods in the rule's currency

    service = models.ForeignKey(CarrierService, on_delete=models.CASCADE, related_name="rates")
    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="rates")
    measure = models.CharField(max_length=10, choices=Measure)
    up_to = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    amount = MoneyField()
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ("service", "zone", "measure", "up_to")
        constraints = [
            models.UniqueConstraint(
                fields=("service", "zone", "measure", "currency", "up_to"),
                name="carriers_raterule_bracket_once",
            ),
            models.UniqueConstraint(
                fields=("service", "zone", "measure", "currency"),
                condition=Q(up_to=None),
                name="carriers_raterule_open_bracket_once",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0), name="carriers_raterule_amount_gte_0"
            ),
        ]

    def __str__(self) -> str:
        limit = "and more" if self.up_to is None else f"up to {self.up_to}"
        return f"{self.service} to {self.zone}, {self.measure} {limit}: {self.amount}"


class ShipmentStatus(models.TextChoices):
    PENDING = "pending"
    RATED = "rated"  # a service is chosen
    LABELLED = "labelled"  # the label is bought
    IN_TRANSIT = "in_transit"  # scanned by the carrier
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    EXCEPTION = "exception"  # held up on its way
    RETURNED = "returned"
    LOST = "lost"
    VOIDED = "voided"  # given back before the first scan


class Shipment(StatefulModel):
    """One parcel on its way from a warehouse to a customer."""

    Status = ShipmentStatus

    TRANSITIONS = {
        Status.PENDING: {Status.RATED, Status.VOIDED},
        Status.RATED: {Status.LABELLED, Status.PENDING, Status.VOIDED},
        Status.LABELLED: {Status.IN_TRANSIT, Status.VOIDED},
        Status.IN_TRANSIT: {
            Status.OUT_FOR_DELIVERY,
            Status.DELIVERED,
            Status.EXCEPTION,
            Status.RETURNED,
            Status.LOST,
        },
        Status.OUT_FOR_DELIVERY: {Status.DELIVERED, Status.EXCEPTION, Status.RETURNED},
        Status.EXCEPTION: {
            Status.IN_TRANSIT,
            Status.OUT_FOR_DELIVERY,
            Status.DELIVERED,
            Status.RETURNED,
            Status.LOST,
        },
        Status.DELIVERED: set(),
        Status.RETURNED: set(),
        Status.LOST: set(),
        Status.VOIDED: set(),
    }

    subject = models.CharField(max_length=80, unique=True)  # orders.fulfillment:9
    order_number = models.CharField(max_length=40, db_index=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    service = models.ForeignKey(
        CarrierService, null=True, blank=True, on_delete=models.PROTECT, related_name="shipments"
    )
    tracking_number = models.CharField(max_length=40, blank=True)
    label = models.TextField(blank=True)
    weight_g = models.PositiveIntegerField(null=True, blank=True)
    value = MoneyField()
    cost = MoneyField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    to_address = models.JSONField()
    from_address = models.JSONField()
    decision = models.JSONField(default=dict, blank=True)  # which services were rated, and who won
    failure = models.CharField(max_length=300, blank=True)  # why no label could be bought
    simulate = models.CharField(max_length=20, blank=True)  # the fault asked of the simulator
    released_at = models.DateTimeField(null=True, blank=True)  # ready for the carrier
    scanned_at = models.DateTimeField(null=True, blank=True)
    expected_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            status_known(ShipmentStatus),
            models.UniqueConstraint(
                fields=("service", "tracking_number"),
                condition=~Q(tracking_number=""),
                name="carriers_shipment_tracking_once",
            ),
        ]
        indexes = [models.Index(fields=["status", "expected_at"], name="carriers_shipment_due")]

    def __str__(self) -> str:
        return f"Shipment {self.pk} of {self.order_number}"

    @property
    def carrier(self) -> Carrier | None:
        """Who carries it, once a service is chosen."""
        return self.service.carrier if self.service else None

    @property
    def tracking_url(self) -> str:
        """Where the receiver can follow the parcel; empty without a label or a page."""
        if not (self.service and self.tracking_number):
            return ""
        template = self.service.carrier.tracking_url_template
        return template.replace("{tracking_number}", self.tracking_number)


class TrackingEvent(models.Model):
    """One scan of a parcel as the carrier told it, kept in whatever order it came."""

    shipment = models.ForeignKey(Shipment, on_delete=models.PROTECT, related_name="events")
    code = models.CharField(max_length=20)
    at = models.DateTimeField()
    description = models.CharField(max_length=300, blank=True)
    location = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("shipment", "code", "at"), name="carriers_trackingevent_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} at {self.at:%Y-%m-%d %H:%M}"

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Scans stay. Raises TypeError always."""
        raise TypeError("A tracking event is an audit row and is never deleted.")


class LabelAttempt(BaseModel):
    """One try to buy a label, committed with its key before the carrier is called."""

    class Phase(models.TextChoices):
        REQUESTED = "requested"  # the carrier is being called, or its answer was lost
        BOUGHT = "bought"
        REFUSED = "refused"

    shipment = models.ForeignKey(Shipment, on_delete=models.PROTECT, related_name="attempts")
    service = models.ForeignKey(CarrierService, on_delete=models.PROTECT, related_name="attempts")
    idempotency_key = models.CharField(max_length=80, unique=True)
    phase = models.CharField(max_length=12, choices=Phase, default=Phase.REQUESTED)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("shipment",),
                condition=Q(phase="requested"),
                name="carriers_labelattempt_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.idempotency_key} {self.phase}"

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Attempts to spend money stay. Raises TypeError always."""
        raise TypeError("A label attempt is an audit row and is never deleted.")


class SimulatedLabel(models.Model):
    """A label in the books of the simulated carrier: its side of the wire, never ours."""

    key = models.CharField(max_length=80, unique=True)
    service_code = models.CharField(max_length=40)
    answers = models.PositiveIntegerField(default=0)  # how often the label was asked for
    is_voided = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.tracking_number

    @property
    def tracking_number(self) -> str:
        """SP and ten digits, from the row's id."""
        return f"SP{self.pk:010d}GB"
