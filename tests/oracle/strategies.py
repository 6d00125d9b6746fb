"""Random worlds that crowd around the edges (windows' ends, midnights, clock changes), and random rules as text."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from tests.oracle.calendar import LocalCalendar
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
)

DAY = 86_400_000
# An ordinary day, both clock changes of New York, a leap day, a turn of the year, a turn of the month.
MORNINGS = ["2026-11-22", "2026-03-08", "2026-11-01", "2024-02-29", "2026-01-01", "2026-03-01", "2025-03-31"]

LIBRARY = """
define touch = order or scan
define big_order = order where (amount > 20)
define treat = (order where (product.category = 'cake')) or scan
metric spend = sum(order.amount in last 90d)
metric basket = avg(order.amount)
segment buyers: did order
segment local among buyers: city in ['上海', '北京']
segment lucky: sample 50%
tag frequency: 'heavy' when count(order) >= 3; 'medium' when count(order) >= 1 and age > 30; else 'light'
tag maybe: 'yes' when vip = true; 'no' when vip = false
"""


@st.composite
def worlds(draw: st.DrawFn) -> World:
    zone = draw(st.sampled_from(["Asia/Shanghai", "America/New_York", "UTC", "Australia/Lord_Howe"]))
    calendar = LocalCalendar(zone, draw(st.sampled_from([0, 240])), draw(st.sampled_from([1, 7])))
    morning = calendar.start(dt.date.fromisoformat(draw(st.sampled_from(MORNINGS))))
    as_of = morning + draw(st.sampled_from([0, 1, 3 * 3_600_000, 13 * 3_600_000]))
    moments = times(calendar, as_of)
    stores = [f"s{i}" for i in range(3)]
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
        handles = (f"card:c{person}", f"phone:1381234{person:04}")
        for number in range(draw(st.integers(0, 6))):
            which = draw(st.sampled_from([handles, handles[:1], handles[1:]]))
            records.append(draw(events(person, number, moments, which, stores, products)))
        for number in range(draw(st.integers(0, 3))):
            at = draw(st.one_of(st.just(SINCE_ALWAYS), moments))
            which = draw(st.sampled_from([handles, handles[:1], handles[1:]]))
            records.append(Change(person, "crm", f"{person}-{number}", at, draw(attributes(moments)), which))
        # What makes the two handles one person, somewhere in the order of arrival.
        records.append(Change(person, "crm", f"{person}-link", draw(moments), {}, handles))
    copies = draw(st.lists(st.sampled_from(records), max_size=3))
    arrival = draw(st.permutations([*records, *copies]))
    return World(zone, calendar.day_start, calendar.week_start, draw(st.booleans()), as_of, tuple(arrival), catalogs)


def times(calendar: LocalCalendar, as_of: int) -> st.SearchStrategy[int]:
    """Instants at and beside the edges that windows have."""
    today = calendar.day(as_of)
    midnights = [calendar.start(today + dt.timedelta(days=days)) for days in (-60, -31, -8, -7, -2, -1, 0, 1)]
    edges = [as_of - days * DAY for days in (0, 1, 2, 7, 30, 90)] + midnights
    beside = st.builds(lambda edge, by: edge + by, st.sampled_from(edges), st.sampled_from([-1, 0, 1]))
    return st.one_of(beside, st.integers(as_of - 100 * DAY, as_of + DAY))


def dates() -> st.SearchStrategy[dt.date]:
    leap = st.sampled_from([dt.date(2000, 2, 29), dt.date(1996, 2, 28), dt.date(1999, 3, 1), dt.date(2026, 11, 22)])
    return st.one_of(leap, st.dates(dt.date(2023, 1, 1), dt.date(2027, 1, 1)))


def money() -> st.SearchStrategy[Fraction]:
    return st.sampled_from([Fraction(n) for n in ("0", "20", "20.01", "19.999999", "60.004", "-5", "33.333333")])


def sparse(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=fields)


def events(
    person: int, number: int, moments: Any, which: tuple[str, ...], stores: list[str], products: list[str]
) -> Any:
    amounts, some = money(), st.sampled_from
    properties = {
        "order": {
            "amount": amounts,
            "quantity": some([Fraction(n) for n in range(4)]),
            "gift": st.booleans(),
            "note": some(["", "no sugar", "加急", "Ａ", "A"]),
            "store_id": some(stores),
            "product_id": some(products),
        },
        "scan": {"store_id": some(stores), "quantity": some([Fraction(1), Fraction(2)])},
        "browse": {"page": some(["home", "menu"])},
        "refund": {"amount": amounts, "store_id": some(stores)},
    }
    return some(["order", "order", "scan", "browse", "refund"]).flatmap(
        lambda kind: st.builds(
            Event,
            st.just(person),
            some(["till", "app"]),
            st.just(f"{person}-{number}"),
            st.just(kind),
            moments,
            st.one_of(st.none(), some(CHANNELS)),
            sparse(properties[kind]),
            st.just(which),
        )
    )


def attributes(moments: st.SearchStrategy[int]) -> st.SearchStrategy[dict[str, object]]:
    some = st.sampled_from
    scores = st.dictionaries(some(["price_sensitivity", "spice"]), some([Fraction(n) for n in range(1, 6)]), max_size=2)
    values: dict[str, st.SearchStrategy[Any]] = {
        "city": some(CITIES),
        "level": some(LEVELS),
        "age": some([Fraction(n) for n in (0, 18, 30, 31)]),
        "balance": money(),
        "birthday": dates(),
        "namesday": some([(2, 29), (2, 28), (3, 1), (11, 22), (1, 1), (11, 23)]),
        "signup_at": moments.map(Instant),
        "vip": st.booleans(),
        "tastes": st.frozensets(some(TASTES), max_size=3),
        "survey": scores,
        "home": some([(31.2304, 121.4737), (31.25, 121.48), (40.7, -74.0)]),
        "nickname": some(["", "小明", "Ａnn", "Ann", "ann"]),
    }
    return sparse({name: st.one_of(strategy, strategy, st.none()) for name, strategy in values.items()})


# --- rules as text -------------------------------------------------------------------------------

ELAPSED = ["1d", "2d", "7d", "30d", "90d", "36h", "1w", "5min"]
UNITS = ["day", "week", "month", "quarter", "year"]


def written_dates() -> st.SearchStrategy[str]:
    return st.sampled_from(["2026-11-01", "2026-11-22", "2026-03-08", "2024-02-29", "2025-12-31", "2026-01-01"])


def past_calendar() -> st.SearchStrategy[str]:
    units = st.sampled_from(UNITS)
    return st.one_of(
        st.builds("in last {} calendar {}s".format, st.integers(2, 3), units),
        st.builds("in last {}".format, units),
        st.builds("in this {}".format, units),
        st.sampled_from(["in 2026-11", "in 2026-03", "today", "yesterday"]),
        st.builds("on {}".format, written_dates()),
        st.builds("since {}".format, written_dates()),
        st.builds("before {}".format, written_dates()),
        st.sampled_from(["between 2026-11-01 and 2026-11-22", "between 2024-02-29 and 2026-01-01"]),
    )


def past_elapsed() -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("in last {}".format, st.sampled_from(ELAPSED)),
        st.builds("between {} and {} ago".format, st.sampled_from(ELAPSED), st.sampled_from(ELAPSED)),
        st.sampled_from(["since 2026-11-01 02:30", "between 2026-10-31 23:30 and 2026-11-22 01:30"]),
    )


def event_windows() -> st.SearchStrategy[str]:
    return st.one_of(past_elapsed(), past_calendar(), st.just("ever"))


def coming() -> st.SearchStrategy[str]:
    units = st.sampled_from(UNITS)
    return st.one_of(
        st.builds("in next {} calendar {}s".format, st.integers(2, 3), units),
        st.builds("in next {}".format, units),
        st.just("tomorrow"),
    )


def wheres() -> st.SearchStrategy[str]:
    leaf = st.sampled_from(
        [
            "amount > 20", "amount >= 19.999999", "quantity in [1, 2]", "gift = true", "note contains 'A'", "note = ''",
            "channel = pos", "channel in [web, miniapp]", "store.town = '上海'", "product.category = 'coffee'",
            "product.price < amount", "product.organic = false", "store_id = 's0'", "not (amount > 20)",
            "amount is unknown", "store.opened before 2025-12-31", "amount > 20 including unknown", "age > 18",
            "product.category in ['tea', 'cake'] including unknown", "store is known", "quantity between 1 and 2",
        ]
    )  # fmt: skip
    pair = st.builds(
        "{} {} {}".format, leaf.map("({})".format), st.sampled_from(["and", "or"]), leaf.map("({})".format)
    )
    return st.one_of(leaf, leaf, pair)


def steps() -> st.SearchStrategy[str]:
    plain = st.sampled_from(["order", "scan", "touch", "big_order", "treat", "refund", "browse"])
    return st.one_of(plain, wheres().map("order where ({})".format))


def happenings() -> st.SearchStrategy[str]:
    times = st.builds("{} {} times ".format, st.sampled_from(["at least", "at most", "exactly"]), st.integers(0, 3))
    counted = st.builds("{} {}{}".format, steps(), st.one_of(st.just(""), times), event_windows())
    first = st.builds("{} for the first time {}".format, steps(), event_windows())
    return st.one_of(counted, counted, first)


def amounts() -> st.SearchStrategy[str]:
    """Expressions of money."""
    windows = st.one_of(st.just(""), event_windows().map(" {}".format))
    filters = st.one_of(st.just(""), wheres().map(" where ({})".format))
    functions = st.sampled_from(["sum", "avg", "min", "max", "median", "earliest", "latest"])
    aggregate = st.builds("{}(order.amount{}{})".format, functions, filters, windows)
    through = st.builds("{}(order.product.price{})".format, st.sampled_from(["sum", "max", "avg"]), windows)
    leaf = st.one_of(aggregate, through, st.sampled_from(["balance", "spend", "basket"]))
    summed = st.builds("{} {} {}".format, leaf, st.sampled_from(["+", "-"]), leaf)
    return st.one_of(leaf, leaf, summed, leaf.map("({} default 0)".format))


def numbers() -> st.SearchStrategy[str]:
    windows = st.one_of(st.just(""), event_windows().map(" {}".format))
    filters = st.one_of(st.just(""), wheres().map(" where ({})".format))
    counted = st.sampled_from(
        ["count(order{}{})", "days(order{}{})", "distinct(order.store_id{}{})", "count(order.amount{}{})"]
    )
    aggregate = st.tuples(counted, filters, windows).map(lambda parts: parts[0].format(*parts[1:]))
    leaf = st.one_of(aggregate, st.sampled_from(["age", "survey.price_sensitivity", "survey['spice']", "count(touch)"]))
    ratio = st.builds("{} / {}".format, leaf, leaf)
    tiles = st.builds(
        "{}({}{})".format,
        st.sampled_from(["quintile", "decile", "percentile"]),
        amounts(),
        st.sampled_from(["", " among buyers", " among local"]),
    )
    return st.one_of(leaf, leaf, ratio, tiles)


def leaves() -> st.SearchStrategy[str]:
    cmp = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
    apart = st.sampled_from(["<", "<=", ">", ">="])
    recencies = st.sampled_from(["last_touch", "first_order", "last_seen", "first_seen", "last_scan", "last_big_order"])
    return st.one_of(
        happenings().map("did {}".format),
        happenings().map("did not {}".format),
        st.builds("{} {} {}".format, amounts(), cmp, st.sampled_from(["0", "20", "60", "20.01", "-5", "balance"])),
        st.builds("{} {} {}".format, numbers(), cmp, st.sampled_from(["0", "1", "2", "50%", "33.3%", "age"])),
        st.builds(
            "{} {}between {} and {}".format,
            numbers(),
            st.sampled_from(["", "not "]),
            st.integers(0, 1),
            st.integers(1, 3),
        ),
        st.builds("{} {} {}".format, recencies, apart, st.sampled_from(ELAPSED)),
        st.builds("{} between 7d and 30d{}".format, recencies, st.sampled_from(["", " ago"])),
        st.builds(
            "{} {}{}".format, recencies, st.sampled_from(["", "not "]), st.one_of(past_elapsed(), past_calendar())
        ),
        st.builds(
            "signup_at {}{}".format,
            st.sampled_from(["", "not "]),
            st.one_of(past_elapsed(), past_calendar(), coming(), st.just("in next 2d")),
        ),
        st.builds("birthday {}{}".format, st.sampled_from(["", "not "]), st.one_of(past_calendar(), coming())),
        st.builds(
            "anniversary of {} {}{}".format,
            st.sampled_from(["birthday", "namesday"]),
            st.sampled_from(["", "not "]),
            st.one_of(past_calendar().filter(bounded), coming()),
        ),
        st.builds(
            "{} {} {}".format,
            st.sampled_from(["signup_at", "latest(order)", "earliest(touch)", "birthday"]),
            cmp,
            written_dates(),
        ),
        st.builds("{} {} 2026-11-01 01:30".format, st.sampled_from(["signup_at", "latest(order)"]), apart),
        st.builds(
            "{} {} {} {}".format,
            amounts(),
            st.sampled_from(["in top", "in bottom"]),
            st.sampled_from(["10%", "50%", "1", "2", "100%"]),
            st.sampled_from(["", "of buyers", "of local"]),
        ),
        st.builds("{}{}".format, st.sampled_from(PLAIN), st.sampled_from(["", "", " including unknown"])),
    )


def bounded(window: str) -> bool:
    """Whether an anniversary may be asked for in it."""
    return not window.startswith(("since", "before", "between"))


PLAIN = [
    "city = '上海'",
    "city in ['上海', '广州']",
    "city not in ['上海']",
    "city != '北京'",
    "city is known",
    "city is unknown",
    "level > bronze",
    "level <= silver",
    "level = gold",
    "vip = true",
    "vip != false",
    "age >= 18",
    "age between 18 and 30",
    "balance > -5",
    "balance < 20.01",
    "tastes has any ['spicy', 'vegan']",
    "tastes has all ['spicy', 'sweet']",
    "tastes has none ['vegan']",
    "tastes in ['sweet']",
    "tastes not in ['sweet']",
    "channel in [pos, miniapp]",
    "channel not in [web]",
    "channel has none ['web']",
    "survey.price_sensitivity >= 4",
    "survey['spice'] is unknown",
    "survey is known",
    "home within 3km of (31.2304, 121.4737)",
    "home within 500m of (31.2304, 121.4737)",
    "nickname contains '明'",
    "nickname = 'Ann'",
    "nickname starts with 'A'",
    "nickname ends with 'nn'",
    "nickname matches '^[Aa]nn$'",
    "nickname contains ''",
    "in segment buyers",
    "in segment local",
    "in segment lucky",
    "sample 30% seed 'spring'",
    "frequency = 'heavy'",
    "frequency in ['light', 'medium']",
    "maybe = 'yes'",
    "maybe is unknown",
    "most(order.store_id) = 's0'",
    "latest(order.note) = 'A'",
    "latest(touch.channel) = 'pos'",
    "(last_touch default 90d) > 30d",
    "age + 1 > 31",
    "spend > basket",
    "basket > 20",
    "min(order.product.price) < 20",
    "most(order.product.category in last 90d) = 'coffee'",
]


def conditions() -> st.SearchStrategy[str]:
    return st.recursive(
        leaves(),
        lambda inner: st.one_of(
            st.builds("({}) and ({})".format, inner, inner),
            st.builds("({}) or ({})".format, inner, inner),
            inner.map("not ({})".format),
            inner.map("({}) including unknown".format),
        ),
        max_leaves=4,
    )
