"""Builds the tables that the systems of the brand export: one for each system."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from quanyu.cli.demo.catering import people as ids
from quanyu.cli.demo.catering.events import (
    CHANNELS,
    DISHES,
    TYPES,
    GeneratedEvents,
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
    """Builds the card holders, from the till."""
    person = np.flatnonzero(people.card)
    count = len(person)
    born = np.datetime64("1955-01-01", "D") + random.integers(0, 51 * 365, count)
    taste = random.random((count, len(_TASTES))) < 0.25
    return pa.table(
        {
            "card": ids.cards(person),
            "phone": ids.phones(person, people.phone_at_till[person]),
            "birthday": pa.array(born, mask=random.random(count) < 0.3),
            "gender": _choose(("female", "male"), random.integers(0, 2, count), random.random(count) < 0.8),
            "city": _choose(_CITIES, people.home_shop[person] % len(_CITIES), random.random(count) < 0.85),
            "tastes": _lists(taste, random.random(count) < 0.4),
        }
    )


def users(people: People, random: np.random.Generator) -> pa.Table:
    """Builds the users of the mini-program, with the phone and card that they bound to it."""
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


def till(events: GeneratedEvents, first: int) -> pa.Table:
    return pa.table({**_common(events, first), "card": ids.cards(events.person)})


def miniapp(events: GeneratedEvents, first: int, people: People) -> pa.Table:
    """Builds the events of the mini-program and the web page, which share a sign-in."""
    return pa.table(
        {
            **_common(events, first),
            "channel": _choose(CHANNELS, events.channel),
            "unionid": ids.unionids(events.person),
            "openid": ids.openids(events.person, events.channel == CHANNELS.index("miniapp")),
            "device": ids.devices(people.device[events.person]),
            "slip_shop": ids.shops(people.home_shop[events.person], events.slip),
            "slip_customer": ids.delivery_ids(events.person, events.slip),
        }
    )


def delivery(events: GeneratedEvents, first: int) -> pa.Table:
    """Builds the events of the delivery platform, which shows customer numbers but no phone."""
    return pa.table({**_common(events, first), "customer": ids.delivery_ids(events.person)})


def _common(events: GeneratedEvents, first: int) -> dict[str, pa.Array]:
    """Builds the common columns. `first` is the number of earlier events of the table."""
    ordered = np.isin(events.type, [TYPES.index("order"), TYPES.index("refund")])
    return {
        "number": pa.array(np.arange(first + 1, first + len(events) + 1)),
        "type": _choose(TYPES, events.type),
        "happened_at": pa.array(events.at).cast(pa.timestamp("ms", tz="UTC")),
        "shop_id": ids.shops(events.shop, events.type != TYPES.index("browse")),
        "dish_id": ids.numbered("D", events.dish, 3, events.type == TYPES.index("order")),
        "amount": pa.array(events.amount / 100, mask=~ordered),
    }


def _choose(names: tuple[str, ...], index: Whole, known: Flags | None = None) -> pa.Array:
    indices = pa.array(np.asarray(index, dtype=np.int32), mask=None if known is None else ~known)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names))


def _lists(chosen: Flags, known: Flags) -> pa.Array:
    """Builds a list of the chosen tastes for each row; null where not known."""
    rows, items = np.nonzero(chosen & known[:, None])
    starts = np.searchsorted(rows, np.arange(len(chosen) + 1)).astype(np.int32)
    names = pa.array(_TASTES).take(pa.array(items))
    return pa.ListArray.from_arrays(pa.array(starts), names, mask=pa.array(~known))
