"""The caller of a request, a socket or a console action, and what it may do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from django.contrib.auth.models import User

from platform_site.common import access
from platform_site.common.errors import Forbidden


@dataclass(frozen=True)
class Principal:
    """Somebody who calls: a user, an agent, a service account, or anonymous in open mode.

    `kind` is user, agent, service, anonymous or system; `key_id` the API key if one was shown.
    """

    kind: str
    name: str
    role: str = ""
    user: User | None = None
    agent_id: str = ""
    agent_pattern: str = ""
    scopes: tuple[str, ...] = ()
    key_id: int | None = None
    via: str = ""  # key, jwt, session, open

    is_authenticated: bool = field(default=True, init=False)

    @property
    def actor(self) -> str:
        """The name under which events are written."""
        return (
            self.name
            if self.kind in ("user", "anonymous", "system")
            else f"{self.kind}:{self.name}"
        )

    @cached_property
    def roles(self) -> frozenset[str]:
        """The roles whose rights add up: the groups of a user, or the one role of anybody else."""
        if self.role:
            return frozenset({self.role})
        if self.user is None:
            return frozenset()
        if self.user.is_superuser:
            return frozenset({"admin"})
        groups = set(self.user.groups.values_list("name", flat=True))
        return frozenset(groups & set(access.ROLES))

    def reach(self, permission: str | Callable[..., Any]) -> str:
        """How far this right goes: the widest cell over the roles, within the scopes."""
        word = access.word_of(permission)
        if self.scopes and word not in self.scopes:
            return access.NO
        cells = {access.reach(role, word) for role in self.roles}
        if access.SCOPE in cells and word in self.scopes:
            return access.ALL
        order = (access.ALL, access.KEYLESS, access.SELF, access.OWN, access.PARTY)
        return next((cell for cell in order if cell in cells), access.NO)

    def may(self, permission: str | Callable[..., Any]) -> bool:
        """Whether the right exists at all; whose rows it covers is checked with the object."""
        return self.reach(permission) != access.NO

    def require(self, permission: str | Callable[..., Any]) -> str:
        """The reach of the right. Raises Forbidden, naming what is missing."""
        reach = self.reach(permission)
        if reach == access.NO:
            word = access.word_of(permission)
            role = ", ".join(sorted(self.roles)) or self.kind
            raise Forbidden(f"This needs the permission {word}.", required=word, current_role=role)
        return reach

    def may_act_as(self, agent_id: str, *, owns_key: bool) -> bool:
        """Whether the caller may act as an agent: an id that owns a key needs that key."""
        if owns_key:
            return self.agent_id == agent_id
        if self.agent_id:
            return self.agent_id == agent_id
        if self.agent_pattern:
            return fnmatchcase(agent_id, self.agent_pattern)
        return True


ANONYMOUS = Principal(kind="anonymous", name="anonymous", role=access.OPEN, via="open")


def user_principal(user: User, *, via: str = "session") -> Principal:
    """The principal of a signed-in user."""
    return Principal(kind="user", name=user.get_username(), user=user, via=via)
