from django.apps import AppConfig


class PlatformSiteConfig(AppConfig):
    name = "platform_site"

    def ready(self) -> None:
        from platform_site import checks  # noqa: F401, PLC0415 (registers the system checks)
