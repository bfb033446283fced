"""Which warehouse gives what: few parcels first, then the fullest shelf. Writes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one level can still promise."""

    level_id: int
    variant_id: int
    warehouse_id: int
    free: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """The first variant of which there is not enough."""

    variant_id: int
    available: int
    requested: int


Allocation = dict[int, int]  # level -> units


def allocate(wanted: Mapping[int, int], shelves: Iterable[Shelf]) -> Allocation | Shortage:
    """Units of each level for `wanted` (variant -> units), or what is short.

    The warehouse that covers most of the open lines takes them all, again and again; a line that no
    single warehouse covers is taken from the fullest shelves.
    """
    by_variant: dict[int, list[Shelf]] = defaultdict(list)
    for shelf in shelves:
        if shelf.free > 0:
            by_variant[shelf.variant_id].append(shelf)
    for variant_id, quantity in wanted.items():
        available = sum(shelf.free for shelf in by_variant[variant_id])
        if available < quantity:
            return Shortage(variant_id, available, quantity)
    taken: Allocation = {}
    left = dict(wanted)
    while covered := _best_cover(left, by_variant):
        for shelf in covered:
            taken[shelf.level_id] = left.pop(shelf.variant_id)
    for variant_id, quantity in left.items():
        taken |= _fullest_first(quantity, by_variant[variant_id])
    return taken


def _best_cover(left: Mapping[int, int], by_variant: Mapping[int, list[Shelf]]) -> list[Shelf]:
    """The shelves of the one warehouse that covers most open lines in full."""
    covers: dict[int, list[Shelf]] = defaultdict(list)
    for variant_id, quantity in left.items():
        for shelf in by_variant[variant_id]:
            if shelf.free >= quantity:
                covers[shelf.warehouse_id].append(shelf)
    if not covers:
        return []
    best = max(covers, key=lambda at: (len(covers[at]), sum(s.free for s in covers[at]), -at))
    return covers[best]


def _fullest_first(quantity: int, shelves: Iterable[Shelf]) -> Allocation:
    taken: Allocation = {}
    for shelf in sorted(shelves, key=lambda shelf: (-shelf.free, shelf.level_id)):
        if quantity <= 0:
            break
        taken[shelf.level_id] = min(shelf.free, quantity)
        quantity -= taken[shelf.level_id]
    return taken
