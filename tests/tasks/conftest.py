"""Reactions that exist for one test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from ecommerce.registration import register_builtin_agents
from messaging.events import emit
from messaging.models import Event
from tasks.handlers import HANDLERS, discover, handles

HAPPENED = "test.happened"


@pytest.fixture
def builtin_agents(db) -> None:
    """The agents of the table are registered, as after a start."""
    register_builtin_agents()


@pytest.fixture
def reaction(builtin_agents) -> Iterator[Callable[..., str]]:
    """`reaction(function)`: the fraud agent reacts to `test.happened`; returns the task type."""
    discover()
    before = dict(HANDLERS)

    def react(function: Callable[..., Any], *, package: str = "fraud") -> str:
        function.__module__ = f"ecommerce.{package}.agent"
        handles(on=HAPPENED)(function)
        return f"{package}.{function.__name__}"

    yield react
    HANDLERS.clear()
    HANDLERS.update(before)


@pytest.fixture
def happen(db) -> Callable[..., Event]:
    """`happen(n=1)`: the event `test.happened` about a user."""
    subject = User.objects.create_user("subject")

    def say(name: str = HAPPENED, **facts: Any) -> Event:
        with transaction.atomic():
            return emit(name, subject, actor="alice", **facts)

    return say
