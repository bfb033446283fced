"""Who may do what: permissions, roles and the matrix of both, as data.

A permission is a word such as `task:submit` or `orders:edit`. A service declares the word that it
falls under with `@requires`; each service is a Django permission (`orders.order_cancel`) that a
group holds if its role holds the word. `access_sync` writes both to the database.
"""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

ROLES = ("readonly", "user", "api_user", "agent", "operator", "admin")
OPEN = "open"  # the anonymous caller of open mode

# How far a right reaches: everything, only agents that own no key, only the agent itself, only rows
# made by the caller or that concern it, only if the credential names it.
ALL, KEYLESS, SELF, OWN, PARTY, SCOPE, NO = "y", "keyless", "self", "own", "party", "scope", "-"

DOMAINS = (
    "orders",
    "products",
    "inventory",
    "customers",
    "payments",
    "fraud",
    "warehouses",
    "carriers",
    "documents",
    "communications",
    "pricing",
)

_COLUMNS = (OPEN, "readonly", "user", "api_user", "agent", "operator", "admin")
_ROWS: dict[str, str] = {
    # word              open     readonly user  api_user agent  operator admin
    "agent:view": "      y        y        y     y        y      y        y",
    "agent:discover": "  y        y        y     y        y      y        y",
    "queue:view": "      y        y        y     y        y      y        y",
    "event:view": "      y        y        y     y        y      y        y",
    "agent:register": "  keyless  -        -     keyless  self   keyless  keyless",
    "agent:status": "    keyless  -        -     keyless  self   keyless  keyless",
    "task:claim": "      keyless  -        -     keyless  self   keyless  keyless",
    "agent:unregister": "keyless  -        -     keyless  self   y        y",
    "agent:control": "   -        -        -     -        -      y        y",
    "task:submit": "     y        -        y     y        y      y        y",
    "task:view": "       y        y        y     y        party  y        y",
    "task:update": "     y        -        own   own      own    y        y",
    "task:cancel": "     y        -        own   own      own    y        y",
    "task:redrive": "    y        -        -     -        -      y        y",
    "key:issue": "       -        -        own   -        -      y        y",
    "system:stats": "    -        y        y     y        -      y        y",
    "system:config": "   -        -        -     -        -      y        y",
    "security:audit": "  -        -        -     -        -      y        y",
    "security:manage": " -        -        -     -        -      -        y",
    "user:manage": "     -        -        -     -        -      -        y",
    "payments:refund": " -        -        -     scope    scope  y        y",
    "customer:personal": "-       -        -     y        scope  y        y",
    **{f"{domain}:view": "y y y y scope y y" for domain in DOMAINS},
    **{f"{domain}:edit": "y - - y scope y y" for domain in DOMAINS},
}
MATRIX: dict[str, dict[str, str]] = {
    word: dict(zip(_COLUMNS, cells.split(), strict=True)) for word, cells in _ROWS.items()
}

SERVICES: dict[str, str] = {}  # "orders.order_cancel" -> "orders:edit", filled by @requires


def requires(word: str) -> Callable[[F], F]:
    """Declare the word of the matrix for a service. The edge asks; the service does not."""
    if word not in MATRIX:
        raise LookupError(f"{word} is no permission of the matrix.")

    def declare(service: F) -> F:
        name = service_name(service)
        if SERVICES.setdefault(name, word) != word:
            raise LookupError(f"{name} is declared twice.")
        service.permission = word  # type: ignore[attr-defined]  # read by word_of
        return service

    return declare


def service_name(service: Callable[..., Any]) -> str:
    """The Django permission of a service: `orders.order_cancel` for one of `ecommerce.orders`."""
    package = service.__module__.removeprefix("ecommerce.").removeprefix("platform_site.")
    return f"{package.split('.')[0]}.{service.__name__}"


def word_of(permission: "str | Callable[..., Any]") -> str:
    """The word of the matrix for a word or for a service that was declared with `requires`."""
    word = permission if isinstance(permission, str) else getattr(permission, "permission", "")
    if word not in MATRIX:
        raise LookupError(f"{permission} is no permission of the matrix.")
    return word


def reach(role: str, word: str) -> str:
    """How far the right of a role reaches: one of the words above, `y` to `-`."""
    return MATRIX[word][role]
