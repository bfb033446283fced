"""Filters of orders; the tiles of the control room count with the same conditions."""

from ecommerce.orders.figures import came_today, is_held
from platform_site.common.admin import ChoiceFilter


class HeldFilter(ChoiceFilter):
    title = "holds"
    parameter_name = "held"
    conditions = {"yes": ("held", is_held), "no": ("not held", lambda: ~is_held())}


class CameFilter(ChoiceFilter):
    title = "came"
    parameter_name = "came"
    conditions = {"today": ("today", came_today)}
