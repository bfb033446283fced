from django.apps import AppConfig

from platform_site.common import audit


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from messaging.audit import record  # noqa: PLC0415 (models exist only from here on)

        audit.record.fill(record)
