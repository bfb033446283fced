"""What a client may not set is ignored, whatever it is called (S9). API3:2023."""

import pytest

from tests.platform_site.routes import CHANGES, call, make_stage, read_by

pytestmark = pytest.mark.django_db

NUMBER, WORD = 987_654_321, "mallory"
INTRUDERS = {
    **dict.fromkeys(("id", "pk", "version", "lease_epoch", "incarnation", "attempt"), NUMBER),
    **dict.fromkeys(("total", "subtotal", "total_spent", "total_orders", "captured"), NUMBER),
    **dict.fromkeys(("sales_count", "user_id", "order_number", "submitted_by", "made_by"), NUMBER),
    **dict.fromkeys(("owner", "role", "actor", "external_ref", "payment_state", "state"), WORD),
    **dict.fromkeys(("created_at", "placed_at", "assigned_agent", "overlay_set_by"), WORD),
}
CREATES = [
    *("/api/orders", "/api/customers", "/api/products", "/api/categories", "/api/payments"),
    *("/api/customers/{pk}/addresses", "/api/v1/tasks", "/api/v1/agents", "/agents/register"),
]


def test_fields_that_no_client_may_set_are_neither_stored_nor_refused(api):
    stage, wrong = make_stage(), []
    for cell in CHANGES:
        if cell.method != "POST" or cell.route not in CREATES:
            continue
        seen, body = read_by(api, cell, stage)
        taken = set(seen.shapes[0][1]().fields)
        more = {name: value for name, value in INTRUDERS.items() if name not in taken}

        response = call(api, "POST", stage.path(cell.route), {**more, **body})

        text = response.content.decode()
        if response.status_code != seen.status or str(NUMBER) in text or WORD in text:
            wrong.append(f"{cell.route}: {response.status_code} {text[:200]}")

    assert not wrong, "\n".join(wrong)
