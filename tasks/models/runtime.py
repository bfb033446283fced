"""What the processes that run the platform know of each other."""

from django.db import models


class TickLease(models.Model):
    """Who runs one tick at present: the process that holds the row until it expires."""

    name = models.CharField(max_length=100, unique=True)
    host = models.CharField(max_length=200, blank=True)
    pid = models.PositiveIntegerField(default=0)
    process_start = models.CharField(max_length=40, blank=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"Tick {self.name}"


class Consumer(models.Model):
    """A durable reader of the event log: everything up to `seq` has had its effect."""

    name = models.CharField(max_length=100, unique=True)
    seq = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"Consumer {self.name} at {self.seq}"
