"""`manage.py run_agents`: work for the built-in agents, without the web server."""

import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecommerce.agents import AGENTS, BY_SLUG, COORDINATOR_PORT, AgentSpec
from ecommerce.registration import register_builtin_agents
from platform_site.server import LOOPBACK, work
from tasks.runner import Runner, builtin_agents

KNOCK_S = 0.2


class Command(BaseCommand):
    help = "Runs the built-in agents and the ticks of the platform until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", default="", help="names of the list: order,payment")
        parser.add_argument("--list", action="store_true", help="show ports and who listens")

    def handle(self, *args: Any, only: str, list: bool, **options: Any) -> None:
        if list:
            self._list()
            return
        names = [name.strip() for name in only.split(",") if name.strip()]
        agent_ids = [agent_named(name).agent_id for name in names] or builtin_agents()
        register_builtin_agents()
        self.stdout.write(f"Working for {', '.join(agent_ids)}. Stop with Ctrl+C.")
        self.stdout.flush()
        work(Runner(agent_ids))

    def _list(self) -> None:
        for spec in AGENTS:
            built = "" if spec.is_implemented else "not built yet"
            self._line(spec.port, spec.slug, spec.name, built)
        self._line(COORDINATOR_PORT, "-", "Coordinator API", "")

    def _line(self, port: int, slug: str, name: str, remark: str) -> None:
        state = "listens" if listens(port) else "-"
        self.stdout.write(f"{port:>5}  {state:<8} {slug:<15} {name:<24} {remark}".rstrip())


def agent_named(name: str) -> AgentSpec:
    """The agent of that name. Raises CommandError for another, or one not built yet."""
    spec = BY_SLUG.get(name)
    if spec is None:
        raise CommandError(f"There is no agent {name!r}. Known: {', '.join(sorted(BY_SLUG))}.")
    if not spec.is_implemented:
        raise CommandError(f"The {spec.name} is not built yet; it has no work to do.")
    return spec


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of the machine."""
    with socket.socket() as knock:
        knock.settimeout(KNOCK_S)
        return knock.connect_ex((LOOPBACK, port)) == 0
