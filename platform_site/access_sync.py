"""The matrix of rights in the database: groups are roles, permissions are services and words."""

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet
from django.utils.module_loading import autodiscover_modules

from platform_site.common import access

WORDS, SERVICE = "access", "service"
NAME_LENGTH = 255


@transaction.atomic
def access_sync() -> tuple[int, int]:
    """Make groups and permissions what the matrix says; counts permissions added and removed.

    A service is the permission `orders.order_cancel`, a word is `access.orders:edit`. A group holds
    what its role's cell does not deny; whose rows the right covers is asked at the edge.
    """
    autodiscover_modules("services")
    wanted = _wanted()
    known = {_name(row): row for row in _ours().select_related("content_type")}
    missing = [_permission(name) for name in sorted(wanted.keys() - known.keys())]
    Permission.objects.bulk_create(missing)
    gone = [row.pk for name, row in known.items() if name not in wanted]
    Permission.objects.filter(pk__in=gone).delete()
    _fill_groups(wanted)
    return len(missing), len(gone)


def _wanted() -> dict[str, str]:
    """Each permission and the word that it falls under."""
    return {f"{WORDS}.{word}": word for word in access.MATRIX} | access.SERVICES


def _ours() -> QuerySet[Permission]:
    return Permission.objects.filter(content_type__model=SERVICE)


def _permission(name: str) -> Permission:
    app_label, _, codename = name.partition(".")
    content_type, _ = ContentType.objects.get_or_create(app_label=app_label, model=SERVICE)
    label = f"May {codename.replace('_', ' ')}"[:NAME_LENGTH]
    return Permission(content_type=content_type, codename=codename, name=label)


def _fill_groups(wanted: dict[str, str]) -> None:
    for role in access.ROLES:
        if role == "admin":
            continue  # the superuser flag
        group, _ = Group.objects.get_or_create(name=role)
        held = {
            row.pk
            for row in _ours().select_related("content_type")
            if access.reach(role, wanted[_name(row)]) != access.NO
        }
        others = set(
            group.permissions.exclude(content_type__model=SERVICE).values_list("pk", flat=True)
        )
        group.permissions.set(held | others)


def _name(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"
