"""The made customers and events as the brand's systems would export them: one table per system."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from quanyu.cli.demo.catering import people as ids
from quanyu.cli.demo.catering.happenings import (
    CHANNELS,
    DISHES,
    TYPES,
    Happenings,
)
from quanyu.cli.demo.catering.people import (
    SHOPS,
    Flags,
    People,
    Whole,
)

_CITIES = ("上海", "北京", "广州", "深圳", "杭州", "成都")
_KINDS = ("咖啡", "奶茶", "面", "饭", "小吃", "甜品", "轻食", "早餐")
_TASTES = ("辣", "甜", "清淡", "素食")


def shops() -> pa.Table:
    number = np.arange(SHOPS)
    return pa.table(
        {
            "shop_id": ids.shops(number),
            "town": pa.array([_CITIES[i % len(_CITIES)] for i in number]),
            "kind": pa.array(["商场" if i % 3 else "街边" for i in number]),
        }
    )


def dishes(random: np.random.Generator) -> pa.Table:
    number = np.arange(DISHES)
    return pa.table(
        {
            "dish_id": ids.numbered("D", number, 3),
            "category": pa.array([_KINDS[i % len(_KINDS)] for i in number]),
            "price": pa.array(np.round(random.uniform(8, 60, DISHES), 2)),
            "vegetarian": pa.array(random.random(DISHES) < 0.3),
        }
    )


def members(people: People, random: np.random.Generator) -> pa.Table:
    """Card holders, from the till."""
    person = np.flatnonzero(people.card)
    count = len(person)
    born = np.datetime64("1955-01-01", "D") + random.integers(0, 51 * 365, count)
    taste = random.random((count, len(_TASTES))) < 0.25
    return pa.table(
        {
            "card": ids.cards(person),
            "phone": ids.phones(person, people.phone_at_till[person]),
            "birthday": pa.array(born, mask=random.random(count) < 0.3),
            "gender": _chosen(("female", "male"), random.integers(0, 2, count), random.random(count) < 0.8),
            "city": _chosen(_CITIES, people.home_shop[person] % len(_CITIES), random.random(count) < 0.85),
            "tastes": _sets(taste, random.random(count) < 0.4),
        }
    )


def users(people: People, random: np.random.Generator) -> pa.Table:
    """Users of the mini-program, with what they bound to it."""
    person = np.flatnonzero(people.miniapp)
    return pa.table(
        {
            "unionid": ids.unionids(person),
            "openid": ids.openids(person),
            "phone": ids.phones(person, people.phone_in_miniapp[person]),
            "card": ids.cards(person, people.card_in_miniapp[person]),
            "subscribed": pa.array(random.random(len(person)) < 0.5),
        }
    )


def till(made: Happenings, first: int) -> pa.Table:
    return pa.table({**_common(made, first), "card": ids.cards(made.person)})


def miniapp(made: Happenings, first: int, people: People) -> pa.Table:
    """Mini-program and web page: one sign-in."""
    return pa.table(
        {
            **_common(made, first),
            "channel": _chosen(CHANNELS, made.channel),
            "unionid": ids.unionids(made.person),
            "openid": ids.openids(made.person, made.channel == CHANNELS.index("miniapp")),
            "device": ids.devices(people.device[made.person]),
            "slip_shop": ids.shops(people.home_shop[made.person], made.slip),
            "slip_customer": ids.delivery_ids(made.person, made.slip),
        }
    )


def delivery(made: Happenings, first: int) -> pa.Table:
    """The platform shows a shop its customers under numbers of that shop, and no phone."""
    return pa.table({**_common(made, first), "customer": ids.delivery_ids(made.person)})


def _common(made: Happenings, first: int) -> dict[str, pa.Array]:
    """`first`: events of the same table before these."""
    ordered = np.isin(made.type, [TYPES.index("order"), TYPES.index("refund")])
    return {
        "number": pa.array(np.arange(first + 1, first + len(made) + 1)),
        "type": _chosen(TYPES, made.type),
        "happened_at": pa.array(made.at).cast(pa.timestamp("ms", tz="UTC")),
        "shop_id": ids.shops(made.shop, made.type != TYPES.index("browse")),
        "dish_id": ids.numbered("D", made.dish, 3, made.type == TYPES.index("order")),
        "amount": pa.array(made.amount / 100, mask=~ordered),
    }


def _chosen(names: tuple[str, ...], index: Whole, known: Flags | None = None) -> pa.Array:
    indices = pa.array(np.asarray(index, dtype=np.int32), mask=None if known is None else ~known)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names))


def _sets(chosen: Flags, known: Flags) -> pa.Array:
    """A list per row of the tastes chosen; null where not known."""
    rows, items = np.nonzero(chosen & known[:, None])
    starts = np.searchsorted(rows, np.arange(len(chosen) + 1)).astype(np.int32)
    names = pa.array(_TASTES).take(pa.array(items))
    return pa.ListArray.from_arrays(pa.array(starts), names, mask=pa.array(~known))
