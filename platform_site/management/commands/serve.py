"""`manage.py serve`: the embedded platform in one process."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from ecommerce.registration import register_builtin_agents
from platform_site.common.secrets import FOLDER
from platform_site.server import PortTaken, address, bind, main_door, open_doors, serve, side_doors
from platform_site.shopper import simulated_shopper
from tasks.runner import Runner, builtin_agents


class Command(BaseCommand):
    help = "Serves the console, all APIs and the agents' ports and runs the agents, in one process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-agents",
            action="store_true",
            help="answer and keep time, leave the work to others",
        )

    def handle(self, *args: Any, no_agents: bool, **options: Any) -> None:
        door = main_door()
        try:
            main = bind(door)
        except PortTaken as taken:
            raise CommandError(f"{taken} Choose another one: PORT={door.port + 1}") from taken
        try:
            register_builtin_agents()
        except DatabaseError as error:
            raise CommandError(
                f"The database is not ready ({error}). Run `python manage.py setup` first."
            ) from error
        listeners = [main, *open_doors(side_doors(), report=self.stderr.write)]
        self._greet(address(door), len(listeners))
        runner = Runner([], threads=0) if no_agents else Runner(builtin_agents())
        with simulated_shopper(address(door)):
            serve(listeners, runner=runner)

    def _greet(self, url: str, ports: int) -> None:
        self.stdout.write(f"Console        {url}admin/   (user admin)")
        self.stdout.write(f"APIs           {url}docs")
        if ports > 1:
            self.stdout.write(f"Agents         {ports - 1} ports; `manage.py run_agents --list`")
        self.stdout.write(f"JWT secret     {settings.DATA / FOLDER / 'jwt_secret'}")
        if settings.OPEN_API:
            self.stdout.write("OPEN_API=1     anonymous programs of this machine may call the APIs")
        self.stdout.write("Stop with Ctrl+C.")
        self.stdout.flush()
