"""How values look in the console: chips, amounts, times, links, JSON. All text is escaped."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from platform_site.common import json, personal
from platform_site.common.admin.looks import ICONS, look_of

EMPTY = "–"  # noqa: RUF001 (a dash for people)

LONGEST_ID = 30

Column = Callable[..., Any]


def status_chip(word: object, look: str = "") -> SafeString | str:
    """A status as icon, word and colour; never by colour alone."""
    text = str(word or "")
    if not text:
        return EMPTY
    look = look or look_of(text)
    symbol = '<span class="material-symbols-outlined" aria-hidden="true">{}</span>'
    icon = format_html(symbol, ICONS[look])
    words = text.replace("_", " ")
    return format_html('<span class="fd-chip fd-{}">{}{}</span>', look, icon, words)


def _column(name: str, label: str, order: str | None, show: Callable[[Any], Any]) -> Column:
    def column(row: models.Model) -> Any:
        return show(row)

    column.__name__ = name
    column.short_description = label  # type: ignore[attr-defined]  # read by the admin
    if order:
        column.admin_order_field = order  # type: ignore[attr-defined]  # and this
    return column


def _value(row: Any, path: str) -> Any:
    for part in path.split("__"):
        row = getattr(row, part, None)
        if row is None:
            return None
    return row() if callable(row) else row


def chip(field: str, label: str = "", *, order: str | None = "") -> Column:
    """A column with a status."""
    label = label or field.replace("_", " ").removesuffix(" status")
    return _column(
        f"{field}_chip",
        label,
        field if order == "" else order,
        lambda row: status_chip(_value(row, field)),
    )


def amount(field: str, label: str = "", *, currency: str = "currency") -> Column:
    """A column with an amount of money and its currency, aligned right."""

    def show(row: models.Model) -> SafeString | str:
        return money(_value(row, field), str(_value(row, currency) or ""))

    return _column(f"{field}_amount", label or field.replace("_", " "), field, show)


def money(value: Decimal | None, currency: str) -> SafeString | str:
    """`1,234.50 GBP`, digits of one width."""
    if value is None:
        return EMPTY
    return format_html(
        '<span class="fd-number">{} <small>{}</small></span>', f"{value:,.2f}", currency
    )


def quantity(field: str, label: str = "", *, order: str | None = "") -> Column:
    """A column with a number, aligned right."""

    def show(row: models.Model) -> SafeString | str:
        value = _value(row, field)
        return (
            EMPTY
            if value is None
            else format_html('<span class="fd-number">{}</span>', f"{value:,}")
        )

    name = label or field.replace("_", " ")
    return _column(f"{field}_quantity", name, field if order == "" else order, show)


def ago(field: str, label: str = "") -> Column:
    """A column with a time: how long ago, the exact instant on hover."""
    name = label or field.removesuffix("_at").replace("_", " ")
    return _column(f"{field}_ago", name, field, lambda row: moment(_value(row, field)))


def moment(at: Any) -> SafeString | str:
    """`3 min ago`, with the exact time on hover."""
    if at is None:
        return EMPTY
    exact = timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, _since(at)
    )


def _since(at: Any) -> str:
    seconds = (timezone.now() - at).total_seconds()
    words = duration(abs(seconds))
    return f"{words} ago" if seconds >= 0 else f"in {words}"


def duration(seconds: float) -> str:
    """`42 s`, `7 min`, `3 h`, `12 d`, `15 y`."""
    for size, unit in ((31_557_600, "y"), (86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def mono(field: str, label: str = "", *, order: str | None = "") -> Column:
    """A column with the number of a record, in monospace."""
    name = label or field.replace("_", " ")
    return _column(
        f"{field}_mono",
        name,
        field if order == "" else order,
        lambda row: code(_value(row, field)),
    )


def code(value: object) -> SafeString | str:
    """A number or id, in monospace."""
    return format_html('<span class="fd-mono">{}</span>', value) if value else EMPTY


def change_url(row: models.Model) -> str:
    """The console page of a row, or nothing if it has none."""
    meta = row._meta
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(row.pk,))
    except NoReverseMatch:
        return ""


def row_link(row: models.Model | None, text: object = None) -> SafeString | str:
    """A link to the console page of a row."""
    if row is None:
        return EMPTY
    words, address = text if text is not None else row, change_url(row)
    return anchor(address, words) if address else str(words)


def anchor(address: str, text: object) -> SafeString:
    """A link inside the console. Never for an address that somebody else supplied."""
    return format_html('<a class="fd-link" href="{}">{}</a>', address, text)


def link_to(field: str, label: str = "") -> Column:
    """A column that links to the row behind a foreign key."""
    name = label or field.split("__")[-1].replace("_", " ")
    return _column(f"{field}_link", name, field, lambda row: row_link(_value(row, field)))


def search_link(field: str, page: str, label: str = "") -> Column:
    """A column that links to the list `page` (`orders_order`) searched for the value.

    For rows that know another domain's row by its number: no import, no foreign key.
    """

    def show(row: models.Model) -> SafeString | str:
        value = _value(row, field)
        if not value:
            return EMPTY
        try:
            address = reverse(f"admin:{page}_changelist")
        except NoReverseMatch:
            return code(value)
        return anchor(f"{address}?{urlencode({'q': value})}", code(value))

    return _column(f"{field}_search", label or field.replace("_", " "), field, show)


def masked(column: str | Column) -> Column:
    """The column of a field with personal data, for people who may not read it."""
    name = column if isinstance(column, str) else column.__name__
    label = name if isinstance(column, str) else getattr(column, "short_description", name)

    def show(row: models.Model) -> str:
        if not isinstance(column, str):
            return personal.HIDDEN
        return personal.masked(str(_value(row, name) or "")) or EMPTY

    return _column(f"{name}_masked", str(label).replace("_", " "), None, show)


def pretty_json(field: str, label: str = "") -> Column:
    """A column with JSON, indented, escaped; long text folds."""
    name = label or field.replace("_", " ")
    return _column(f"{field}_json", name, None, lambda row: json_block(_value(row, field)))


def words(field: str, label: str = "") -> Column:
    """A column with a list of words."""
    name = label or field.replace("_", " ")
    return _column(
        f"{field}_words",
        name,
        None,
        lambda row: ", ".join(map(str, _value(row, field) or ())) or EMPTY,
    )


ADDRESS_LINES = (("name",), ("company",), ("line1",), ("line2",), ("postal_code", "city", "state"))
ADDRESS_ENDS = (("country",), ("phone", "email"))


def postal(field: str, label: str = "") -> Column:
    """A column with an address as it stands on a label."""
    name = label or field.replace("_", " ")
    return _column(f"{field}_postal", name, None, lambda row: address_block(_value(row, field)))


def address_block(address: dict[str, Any] | None) -> SafeString | str:
    """The lines of an address that are not empty."""
    found = address or {}
    lines = [
        " ".join(str(found[key]) for key in keys if found.get(key))
        for keys in (*ADDRESS_LINES, *ADDRESS_ENDS)
    ]
    text = "\n".join(line for line in lines if line)
    return format_html('<span class="fd-address">{}</span>', text) if text else EMPTY


def short_id(text: str) -> str:
    """The first characters of an id that no person reads whole."""
    return text if len(text) <= LONGEST_ID else f"{text[:8]}…"


def json_block(value: Any) -> SafeString | str:
    """JSON for people."""
    if value in (None, {}, [], ""):
        return EMPTY
    return format_html('<pre class="fd-json">{}</pre>', json.indented(value))
