from django.apps import AppConfig

from registry import ports


class TasksConfig(AppConfig):
    name = "tasks"

    def ready(self) -> None:
        from messaging import metrics  # noqa: PLC0415 (models exist only from here on)
        from tasks import registry_ports  # noqa: PLC0415 (as above)
        from tasks.figures import live_figures  # noqa: PLC0415 (as above)
        from tasks.services import leases_end  # noqa: PLC0415 (as above)

        metrics.FIGURES.append(live_figures)
        ports.in_flight.fill(registry_ports.in_flight)
        ports.in_flight_expression.fill(registry_ports.in_flight_expression)
        ports.recent_outcomes.fill(registry_ports.recent_outcomes)
        ports.leases_end.fill(leases_end)
