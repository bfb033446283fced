"""The routes of the running program, with real rows behind their ids, and what each one reads."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.test import APIClient

from ecommerce.carriers.models import Carrier
from ecommerce.communications.models import OutboundMessage
from ecommerce.customers.models import Address
from ecommerce.documents.models import Document
from ecommerce.orders.models import Order
from ecommerce.orders.services import order_hold
from ecommerce.payments.models import Payment, Refund
from ecommerce.payments.services import payment_refund
from ecommerce.products.models import Category
from ecommerce.registration import register_builtin_agents
from ecommerce.warehouses.models import Warehouse
from platform_site.access_matrix import Cell, cells
from platform_site.common import json
from tasks.models import OrphanResult
from tasks.runner import drain
from tests.factories.inventory import make_warehouse
from tests.factories.orders import make_goods, make_order, open_shop
from tests.factories.payments import make_payment
from tests.factories.registry import make_agent
from tests.factories.tasks import fence, make_running

CELLS = cells()
WRITES = ("POST", "PUT", "PATCH", "DELETE")
AGENT = "hermes-agent"


@dataclass
class Stage:
    """A platform with a row of everything; `ids` by the name of an id or by what precedes it."""

    ids: dict[str, Any]
    values: dict[str, Any] = field(default_factory=dict)  # by the name of a field

    def path(self, route: str, **other: Any) -> str:
        """The address of a route with real ids in it, or with `other` ones."""

        def key(match: re.Match[str]) -> str:
            for name in (match[2], match[1]):
                if name in other or name in self.ids:
                    return f"{match[1]}/{other.get(name, self.ids.get(name))}"
            return f"{match[1]}/1"

        return re.sub(r"(?<=/)([\w-]+)/\{(\w+)\}", key, route)


def make_stage() -> Stage:
    """An open shop with a settled order and an open one, and an agent that holds a task."""
    open_shop()
    register_builtin_agents()
    goods = make_goods(stock=50)
    settled = make_order(variant=goods)
    drain()
    order = make_order(variant=goods, customer=settled.customer)
    payment = make_payment(order_number=order.order_number, amount=str(order.total))
    agent = make_agent(AGENT)
    held = make_running(agent)
    other = make_warehouse("NORTH")
    category = Category.objects.first() or Category.objects.create(name="Lamps", slug="lamps")
    OrphanResult.objects.create(task=held.task, number=1, lease_epoch=0, agent=agent)
    hold = order_hold(order, reason="manual", actor="test")
    warehouse, refund = Warehouse.objects.get(code="MAIN"), make_refund(settled)
    ids = {
        "orders": order.pk,
        "products": goods.product_id,
        "product_id": goods.product_id,
        "customers": order.customer_id,
        "payments": payment.pk,
        "warehouses": warehouse.pk,
        "warehouse_id": warehouse.pk,
        "documents": Document.objects.first().pk,
        "messages": OutboundMessage.objects.first().pk,
        "refunds": refund.pk,
        "inventory": goods.levels.get().pk,
        "hold_pk": hold.pk,
        "carriers": Carrier.objects.first().pk,
        "agents": AGENT,
        "agent_id": AGENT,
        "tasks": held.task.pk,
        "number": 1,
    }
    values = {
        **fence(held),
        "customer_id": order.customer_id,
        "merchant_id": order.merchant_id,
        "shipping_address_id": Address.objects.filter(customer=order.customer).first().pk,
        "product_id": goods.product_id,
        "variant_id": goods.pk,
        "warehouse_id": warehouse.pk,
        "from_warehouse_id": warehouse.pk,
        "to_warehouse_id": other.pk,
        "category_id": category.pk,
        "parent_id": category.pk,
        "order_id": order.pk,
        "ids": [order.pk],
        "payment_method": "credit_card",
        "amount": "1.00",
        "items": [{"product_id": goods.product_id, "quantity": 1}],
        "task_id": held.task.pk,
        "tasks": [{"title": "One of many", "description": "x"}],
        "products": [{"sku": "N-1", "name": "One", "price": "1", "merchant_id": order.merchant_id}],
        "task_data": {"title": "Count"},
        "requirements": {"capabilities": ["analysis"]},
        "email": "grace@example.org",
        "country": "GB",
        "agent_type": "worker",
        "status": "active",
        "overlay": "draining",
        "quantity": 5,
        "slug": "a-slug",
        "wait_s": 0,
        "wait": 0,
    }
    return Stage(ids, values)


def make_refund(order: Order) -> Refund:
    """A refund of a pound of what was paid for the order."""
    payment = Payment.objects.get(order_number=order.order_number)
    return payment_refund(payment, amount=Decimal("1.00"), reason="late", key="r", actor="test")


@dataclass
class Reading:
    """What a route read: shapes with where in the body they applied, names of the query."""

    shapes: list[tuple[tuple[Any, ...], type[serializers.Serializer]]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    status: int = 0


@contextmanager
def reading(body: Any) -> Iterator[Reading]:
    """Watch which serializers check which part of `body`, and which names of a query are read."""
    seen = Reading()
    is_valid, get, getitem = (
        serializers.BaseSerializer.is_valid,
        QueryDict.get,
        QueryDict.__getitem__,
    )
    as_dict, contains = QueryDict.dict, QueryDict.__contains__

    def spy_valid(self: Any, **kwargs: Any) -> Any:
        if isinstance(self, serializers.Serializer):
            place = next(_places(body, self.initial_data), None)
            seen.shapes.append((place, type(self)))
        return is_valid(self, **kwargs)

    def noted(real: Any) -> Any:
        def spy(self: Any, name: str, *default: Any) -> Any:
            seen.names.add(name)
            return real(self, name, *default)

        return spy

    serializers.BaseSerializer.is_valid = spy_valid
    QueryDict.get, QueryDict.__getitem__, QueryDict.__contains__ = (
        noted(get),
        noted(getitem),
        noted(contains),
    )
    try:
        yield seen
    finally:
        serializers.BaseSerializer.is_valid = is_valid
        QueryDict.get, QueryDict.__getitem__ = get, getitem
        QueryDict.__contains__, QueryDict.dict = contains, as_dict


def _places(body: Any, part: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if body == part:
        yield place
    inner = body.items() if isinstance(body, dict) else enumerate(body) if _is_list(body) else ()
    for key, value in inner:
        yield from _places(value, part, (*place, key))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


class _RolledBack(Exception):
    pass


def call(client: APIClient, method: str, path: str, body: Any = None) -> Any:
    """The answer to one request, whose changes are undone."""
    text = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body)
    response = None
    try:
        with transaction.atomic():
            response = client.generic(method, path, text, "application/json")
            raise _RolledBack
    except _RolledBack:
        return response


WORDS = {  # what a field of this shape takes where its name alone does not tell
    "StatusInput": {"status": "processing"},
    "BulkStatusInput": {"status": "processing"},
    "ProductsStatusInput": {"status": "inactive"},
    "OrderChangeInput": {"status": "pending"},
    "TaskWaitInput": {"reason": "input"},
    "TaskInput": {"task_id": "a-new-one", "agent_id": AGENT},
    "TaskDataInput": {"task_id": "another-one"},
    "CountInput": {"quantity": 20},
}


def example(shape: serializers.Serializer, stage: Stage) -> dict[str, Any]:
    """A body that fits: what is required, and what the stage knows a value for."""
    stage = replace(stage, values=stage.values | WORDS.get(type(shape).__name__, {}))
    body = {}
    for name, field_ in shape.fields.items():
        if field_.read_only or not (field_.required or name in stage.values):
            continue
        body[name] = _value(name, field_, stage)
    return body


def _value(name: str, field_: Any, stage: Stage) -> Any:
    if isinstance(field_, serializers.ChoiceField):
        return next(iter(field_.choices))
    if name in stage.values:
        return stage.values[name]
    if isinstance(field_, serializers.ListSerializer):
        return [example(field_.child, stage)]
    if isinstance(field_, serializers.Serializer):
        return example(field_, stage)
    if isinstance(field_, serializers.ListField):
        return []
    if isinstance(field_, (serializers.DictField, serializers.JSONField)):
        return {}
    if isinstance(field_, serializers.BooleanField):
        return False
    if isinstance(field_, (serializers.IntegerField, serializers.FloatField)):
        return max(1, int(field_.min_value or 0))
    if isinstance(field_, serializers.DecimalField):
        return "1.00"
    if isinstance(field_, serializers.DateTimeField):
        return "2030-01-31T12:00:00Z"
    return "x"


def read_by(client: APIClient, cell: Cell, stage: Stage) -> tuple[Reading, Any]:
    """What a route reads, found by calling it; with the body that it took."""
    path = stage.path(cell.route)
    if cell.method not in WRITES:
        with reading({}) as seen:
            call(client, cell.method, path)
        return seen, None
    with reading({}) as seen:
        call(client, cell.method, path, {})
    if not seen.shapes:
        return seen, {}
    body = example(seen.shapes[0][1](), stage)
    with reading(body) as again:
        again.status = call(client, cell.method, path, body).status_code
    again.names |= seen.names
    return again, body


def query_shapes(seen: Reading) -> set[str]:
    """The names that the query's own shapes take."""
    return {name for _, shape in seen.shapes for name in shape().fields}


READS = [cell for cell in CELLS if cell.method == "GET"]
CHANGES = [cell for cell in CELLS if cell.method in WRITES]
