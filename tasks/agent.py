"""The ticks of the engine itself. An idle one reads and writes nothing."""

from messaging.retention import events_trim
from messaging.sequencer import number_events
from registry.services import watch as watch_agents
from tasks import services
from tasks.fanout import fan_out, reached_seq
from tasks.ticks import tick


@tick(every_s=0.2)
def sequencer() -> None:
    """Number what committed in the instant between a commit and the look after it."""
    number_events()


@tick(every_s=1, topic="events")
def handlers() -> None:
    """Make tasks of events."""
    fan_out()


@tick(every_s=1)
def scheduler() -> None:
    """Queue what is due, end what is too late."""
    services.due_tasks_ready()
    services.deadlines_expire()


@tick(every_s=1)
def reaper() -> None:
    """End leases that nobody renewed."""
    services.leases_reap()


@tick(every_s=5)
def watch() -> None:
    """Notice agents whose status changed by the mere passing of time."""
    watch_agents()


@tick(every_s=3600)
def retention() -> None:
    """Remove events that nobody has to keep and that have been made tasks of."""
    events_trim(read_up_to=reached_seq())


@tick(every_s=60)
def measure() -> None:
    """Measure how long tasks of each class take, for ranks and estimates."""
    services.classes_measure()
