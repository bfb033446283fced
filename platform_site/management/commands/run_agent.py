"""`manage.py run_agent order`: one agent alone, with its HTTP face on a port of its own."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecommerce.registration import register_builtin_agents
from platform_site.management.commands.run_agents import agent_named
from platform_site.server import LOOPBACK, Door, PortTaken, address, bind, serve
from tasks.runner import Runner


class Command(BaseCommand):
    help = "Runs one built-in agent and answers its routes. API_PORT or --port moves it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="a name from `run_agents --list`, such as order")
        parser.add_argument("--port", type=int, help="instead of API_PORT or the table's port")

    def handle(self, *args: Any, name: str, port: int | None, **options: Any) -> None:
        spec = agent_named(name)
        number = port or _port_of_environment() or spec.port
        settings.PORT_PACKAGES[number] = spec.package
        if number == settings.PORT:
            settings.PORT = 0  # this process has no console: the agent alone answers here
        door = Door(number, LOOPBACK, spec.agent_id)
        try:
            listeners = [bind(door)]
        except PortTaken as taken:
            raise CommandError(f"{taken} Choose another one: API_PORT={number + 1000}") from taken
        register_builtin_agents()
        self.stdout.write(f"{spec.name} ({spec.agent_id}) works and answers on {address(door)}")
        self.stdout.flush()
        serve(listeners, runner=Runner([spec.agent_id]))


def _port_of_environment() -> int | None:
    text = os.environ.get("API_PORT", "")
    if text and not (text.isdigit() and 0 < int(text) < 65536):
        raise CommandError(f"API_PORT is {text!r}, which is no port.")
    return int(text) if text else None
