"""The simulated shopper buys over HTTP, as anybody would."""

import pytest

from ecommerce.orders.demo import Shop, shop_once
from ecommerce.orders.models import Order
from ecommerce.products.models import Merchant
from platform_site.common.models import ApiKey
from platform_site.shopper import KEY_NAME, shopper_key
from tests.factories.orders import open_shop

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_shopper_stocks_an_empty_shop_and_buys(live_server, run_agents):
    open_shop()
    shop = Shop(live_server.url, shopper_key(), Merchant.objects.get().pk)

    number = shop_once(shop)
    run_agents()

    order = Order.objects.get(order_number=number)
    assert order.status == Order.Status.SHIPPED
    assert order.customer.email.endswith("@shoppers.example")


def test_each_start_gives_the_shopper_a_new_key_and_ends_the_old(db):
    shopper_key()
    shopper_key()

    keys = ApiKey.objects.filter(name=KEY_NAME)
    assert (keys.count(), keys.filter(revoked_at=None).count()) == (2, 1)
