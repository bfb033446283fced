"""Writes of many rows in few short statements, and several of those in one journey."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.db.models.sql import UpdateQuery

_waiting: ContextVar[list[tuple[str, Sequence[Any]]] | None] = ContextVar("waiting", default=None)


@contextmanager
def together() -> Iterator[None]:
    """On PostgreSQL the writes of this module in the block travel as one when it ends.

    For writes of which nobody asks how they went: an error comes at the end of the block, and reads
    within it do not see them. Elsewhere, and in a block within a block, it changes nothing.
    """
    if connection.vendor != "postgresql" or _waiting.get() is not None:
        yield
        return
    statements: list[tuple[str, Sequence[Any]]] = []
    token = _waiting.set(statements)
    try:
        yield
    finally:
        _waiting.reset(token)
    if statements:
        values = [value for _, given in statements for value in given]
        with connection.cursor() as cursor:
            cursor.execute(";".join(statement for statement, _ in statements), values)


def update_rows(rows: models.QuerySet[Any], **changes: Any) -> None:
    """`rows.update()` for a caller who does not ask how many there were."""
    statements = _waiting.get()
    if statements is None:
        rows.update(**changes)
        return
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_values(changes)
    statements.append(query.get_compiler(connection=connection).as_sql())


def insert_rows(
    rows: Sequence[models.Model], *, with_keys: bool = True, ignore_conflicts: bool = False
) -> None:
    """Insert new rows of one model; `with_keys` gives them the keys that the database makes.

    Wide rows of a batch are alike in most columns: on PostgreSQL a value that all of them share is
    sent once, and only what differs travels in arrays. Python then costs as much as the columns
    that differ, not as the table is wide.
    """
    if not rows:
        return
    if connection.vendor != "postgresql":
        type(rows[0])._base_manager.bulk_create(rows, ignore_conflicts=ignore_conflicts)
        return
    model = type(rows[0])
    fields, makes_key = _columns(model)
    statement, values = _statement(model, fields, rows)
    if ignore_conflicts:
        statement += " ON CONFLICT DO NOTHING"
    if with_keys and makes_key:
        _insert_and_number(rows, f"{statement} RETURNING {_quoted(model._meta.pk.column)}", values)
    elif (statements := _waiting.get()) is not None:
        statements.append((statement, values))
    else:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _insert_and_number(rows: Sequence[models.Model], statement: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for row, (made,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = made


@lru_cache(maxsize=64)
def _columns(model: type[models.Model]) -> tuple[list[Any], bool]:
    """The fields that are written, and whether the database makes the key."""
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    makes_key = model._meta.pk is model._meta.auto_field
    return [field for field in fields if not (makes_key and field.primary_key)], makes_key


def _statement(
    model: type[models.Model], fields: list[Any], rows: Sequence[models.Model]
) -> tuple[str, list[Any]]:
    """The INSERT and its values: shared ones in the list of columns, the others in arrays."""
    shared: list[Any] = []
    arrays: list[Any] = []
    expressions: list[str] = []
    types: list[str] = []
    for field in fields:
        values = _values(field, rows)
        if _all_alike(values):
            expressions.append("%s")
            shared.append(field.get_db_prep_save(values[0], connection))
        else:
            expressions.append(f"given.c{len(types)}")
            # Without a length: a cast to varchar(40) would cut what is too long instead of refusing
            types.append(field.db_type(connection).split("(")[0])
            given = [field.get_db_prep_save(value, connection) for value in values]
            # A word of an enumeration is a str of another class, and an array has one class.
            arrays.append([str(value) if isinstance(value, str) else value for value in given])
    source = ""
    if types:
        names = ", ".join(f"c{number}" for number in range(len(types)))
        unnested = ", ".join(f"%s::{name}[]" for name in types)
        source = f" FROM UNNEST({unnested}) AS given({names})"
    elif len(rows) > 1:
        source = f" FROM generate_series(1, {len(rows)})"
    columns = ", ".join(_quoted(field.column) for field in fields)
    into = f"INSERT INTO {_quoted(model._meta.db_table)} ({columns})"
    return f"{into} SELECT {', '.join(expressions)}{source}", shared + arrays


def _values(field: Any, rows: Sequence[models.Model]) -> list[Any]:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        moment = field.pre_save(rows[0], True)
        for row in rows[1:]:
            setattr(row, field.attname, moment)
        return [moment] * len(rows)
    return [getattr(row, field.attname) for row in rows]


def _all_alike(values: list[Any]) -> bool:
    first = values[0]
    if all(value is first for value in values):
        return True
    # 1 == True and 1 == 1.0 in Python, inside of JSON as well: nested values are compared as text.
    if isinstance(first, (dict, list)):
        text = repr(first)
        return all(repr(value) == text for value in values)
    return all(value == first and type(value) is type(first) for value in values)


def _quoted(name: Any) -> str:
    return str(connection.ops.quote_name(name))
