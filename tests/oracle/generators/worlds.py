"""Generators of random worlds whose events lie close to window ends, midnights and clock changes."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from tests.oracle.evaluator.calendar import LocalCalendar
from tests.oracle.world import (
    CATEGORIES,
    CHANNELS,
    CITIES,
    LEVELS,
    SINCE_ALWAYS,
    TASTES,
    Change,
    Event,
    Instant,
    World,
    identifiers_of,
)

DAY = 86_400_000
# An ordinary day, both clock changes of New York, a leap day, a turn of the year, a turn of the month.
MORNINGS = ["2026-11-22", "2026-03-08", "2026-11-01", "2024-02-29", "2026-01-01", "2026-03-01", "2025-03-31"]


@st.composite
def worlds(draw: st.DrawFn, crowded: bool = False) -> World:
    """Draws a world. In a crowded one, people have many events, a day or a millisecond apart."""
    zone = draw(st.sampled_from(["Asia/Shanghai", "America/New_York", "UTC", "Australia/Lord_Howe"]))
    calendar = LocalCalendar(zone, draw(st.sampled_from([0, 240])), draw(st.sampled_from([1, 7])))
    morning = calendar.start(dt.date.fromisoformat(draw(st.sampled_from(MORNINGS))))
    as_of = morning + draw(st.sampled_from([0, 1, 3 * 3_600_000, 13 * 3_600_000]))
    instants = days_apart(as_of) if crowded else times(calendar, as_of)
    stores = [f"s{i}" for i in range(2 if crowded else 3)]
    products = [f"p{i}" for i in range(4)]
    catalogs = {
        "store": {key: draw(sparse({"town": st.sampled_from(CITIES), "opened": dates()})) for key in stores[:2]},
        "product": {
            key: draw(sparse({"category": st.sampled_from(CATEGORIES), "price": money(), "organic": st.booleans()}))
            for key in products[:3]
        },
    }
    records: list[Event | Change] = []
    for person in range(draw(st.integers(1, 6))):
        both = identifiers_of(person)
        for number in range(draw(st.integers(4, 12) if crowded else st.integers(0, 6))):
            which = draw(st.sampled_from([both, both[:1], both[1:]]))
            records.append(draw(events(person, number, instants, which, stores, products, crowded)))
        for number in range(draw(st.integers(0, 3))):
            at = draw(st.one_of(st.just(SINCE_ALWAYS), instants))
            which = draw(st.sampled_from([both, both[:1], both[1:]]))
            records.append(Change(person, "crm", f"{person}-{number}", at, draw(attributes(instants)), which))
        # This record links the two identifiers, at any position in the order of arrival.
        records.append(Change(person, "crm", f"{person}-link", draw(instants), {}, both))
    copies = draw(st.lists(st.sampled_from(records), max_size=3))
    arrival = draw(st.permutations([*records, *copies]))
    people = sorted({record.person for record in records})
    splits = draw(st.lists(st.sampled_from(people), max_size=2, unique=True))
    is_leap_day_march_first = draw(st.booleans())
    return World(
        zone,
        calendar.day_start,
        calendar.week_start,
        is_leap_day_march_first,
        as_of,
        tuple(arrival),
        catalogs,
        tuple(splits),
    )


def times(calendar: LocalCalendar, as_of: int) -> st.SearchStrategy[int]:
    """Draws instants at the ends of windows and one millisecond beside them."""
    today = calendar.day(as_of)
    midnights = [calendar.start(today + dt.timedelta(days=days)) for days in (-60, -31, -8, -7, -2, -1, 0, 1)]
    edges = [as_of - days * DAY for days in (0, 1, 2, 7, 30, 90)] + midnights
    beside = st.builds(lambda edge, by: edge + by, st.sampled_from(edges), st.sampled_from([-1, 0, 1]))
    return st.one_of(beside, st.integers(as_of - 100 * DAY, as_of + DAY))


def days_apart(as_of: int) -> st.SearchStrategy[int]:
    edges = [as_of - days * DAY for days in (*range(16), 30, 37)]
    return st.builds(lambda edge, by: edge + by, st.sampled_from(edges), st.sampled_from([-1, 0, 0, 1]))


def dates() -> st.SearchStrategy[dt.date]:
    leap = st.sampled_from([dt.date(2000, 2, 29), dt.date(1996, 2, 28), dt.date(1999, 3, 1), dt.date(2026, 11, 22)])
    return st.one_of(leap, st.dates(dt.date(2023, 1, 1), dt.date(2027, 1, 1)))


def money() -> st.SearchStrategy[Fraction]:
    return st.sampled_from([Fraction(n) for n in ("0", "20", "20.01", "19.999999", "60.004", "-5", "33.333333")])


def sparse(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=fields)


def events(
    person: int,
    number: int,
    instants: Any,
    which: tuple[str, ...],
    stores: list[str],
    products: list[str],
    crowded: bool,
) -> Any:
    amounts, some = money(), st.sampled_from
    properties = {
        "order": {
            "amount": amounts,
            "quantity": some([Fraction(n) for n in range(4)]),
            "gift": st.booleans(),
            "note": some(["", "no sugar", "加急", "Ａ", "A"]),
            "grade": some(LEVELS),
            "store_id": some(stores),
            "product_id": some(products),
        },
        "scan": {"shop": some(stores), "quantity": some([Fraction(1), Fraction(2)])},
        "browse": {"page": some(["home", "menu"])},
        "refund": {"amount": amounts, "store_id": some(stores)},
        "pickup": {"store_id": some(stores)},
        "review": {"store_id": some(stores), "stars": some([Fraction(n) for n in range(1, 6)])},
    }
    return some(["order", "order", "order", "scan", "scan", "browse", "refund", "pickup", "review"]).flatmap(
        lambda kind: st.builds(
            Event,
            st.just(person),
            some(["till", "app"]),
            st.just(f"{person}-{number}"),
            st.just(kind),
            instants,
            st.one_of(st.none(), some(CHANNELS)),
            st.fixed_dictionaries(properties[kind]) if crowded else sparse(properties[kind]),
            st.just(which),
        )
    )


def attributes(instants: st.SearchStrategy[int]) -> st.SearchStrategy[dict[str, object]]:
    some = st.sampled_from
    scores = st.dictionaries(some(["price_sensitivity", "spice"]), some([Fraction(n) for n in range(1, 6)]), max_size=2)
    values: dict[str, st.SearchStrategy[Any]] = {
        "city": some(CITIES),
        "level": some(LEVELS),
        "goal": some(LEVELS),
        "age": some([Fraction(n) for n in (0, 18, 30, 31)]),
        "balance": money(),
        "birthday": dates(),
        "namesday": some([(2, 29), (2, 28), (3, 1), (11, 22), (1, 1), (11, 23)]),
        "signup_at": instants.map(Instant),
        "is_member": st.booleans(),
        "tastes": st.frozensets(some(TASTES), max_size=3),
        "survey": scores,
        "home": some([(31.2304, 121.4737), (31.25, 121.48), (40.7, -74.0)]),
        "nickname": some(["", "小明", "Ａnn", "Ann", "ann"]),
        "churn_risk@3": some([Fraction(1, 2), Fraction(9, 10)]),
        "churn_risk@4": some([Fraction(n, 10) for n in (0, 7, 8, 9)]),
    }
    return sparse({name: st.one_of(strategy, strategy, st.none()) for name, strategy in values.items()})
