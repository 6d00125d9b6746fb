"""Generators of random conditions as text, and the library of rules that they refer to."""

from __future__ import annotations

from hypothesis import strategies as st

LIBRARY = """
define touch = order or scan
define big_order = order where (amount > 20)
define treat = (order where (product.category = 'cake')) or scan
metric spend = sum(order.amount in last 90d)
metric basket = avg(order.amount)
segment buyers: did order
segment local among buyers: city in ['上海', '北京']
segment lucky: sample 50%
segment active: did touch in last 2d
segment shanghai: city = '上海' and not in segment lucky
segment rich among buyers: basket in top 50% or frequency = 'heavy'
segment fresh: last_touch < 30d and (level >= silver) including unknown
segment former: was in segment buyers on 2024-02-01 or was in segment rich 2d ago
segment moving: entered segment active in last 7 calendar days or left segment fresh in last 30d
segment steady among fresh: did (scan then order) in at least 1 of last 3 calendar weeks
tag frequency: 'heavy' when count(order) >= 3; 'medium' when count(order) >= 1 and age > 30; else 'light'
tag maybe: 'yes' when is_member = true; 'no' when is_member = false
"""

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


def future_windows() -> st.SearchStrategy[str]:
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
            "grade > level", "grade >= silver", "goal <= grade including unknown",
        ]
    )  # fmt: skip
    pair = st.builds(
        "{} {} {}".format, leaf.map("({})".format), st.sampled_from(["and", "or"]), leaf.map("({})".format)
    )
    return st.one_of(leaf, leaf, pair)


def steps() -> st.SearchStrategy[str]:
    plain = st.sampled_from(["order", "scan", "touch", "big_order", "treat", "refund", "browse"])
    return st.one_of(plain, filtered_orders())


def filtered_orders() -> st.SearchStrategy[str]:
    return wheres().map("order where ({})".format)


def counts() -> st.SearchStrategy[str]:
    times = st.builds("{} {} times ".format, st.sampled_from(["at least", "at most", "exactly"]), st.integers(0, 3))
    return st.builds("{} {}{}".format, steps(), st.one_of(st.just(""), times), event_windows_or_repeats())


def event_patterns() -> st.SearchStrategy[str]:
    first = st.builds("{} for the first time {}".format, steps(), event_windows())
    return one_strategy_of([counts(), counts(), first, sequences(), sequences()])


def one_strategy_of(kinds: list[st.SearchStrategy[str]]) -> st.SearchStrategy[str]:
    """Draws from each strategy equally often, however many branches it has."""
    return st.integers(0, len(kinds) - 1).flatmap(lambda kind: kinds[kind])


def mostly(texts: list[str], other: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draws one of the texts or, as often as each of them, something else."""
    return st.sampled_from([*texts, None]).flatmap(lambda text: other if text is None else st.just(text))


def event_windows_or_repeats() -> st.SearchStrategy[str]:
    return st.booleans().flatmap(lambda in_units: repeats() if in_units else event_windows())


def repeats() -> st.SearchStrategy[str]:
    number = st.builds("{} {}".format, st.sampled_from(["at least", "at most", "exactly"]), st.integers(0, 4))
    wanted = mostly(["each of", "at least 1 of", "at least 2 of"], number.map("{} of".format))
    units = mostly(["day", "day", "week"], st.sampled_from(UNITS))
    return st.builds("in {} last {} calendar {}s".format, wanted, st.integers(1, 4), units)


# Steps, and the `by` clauses that all events of these steps have values for.
COMMON = [
    (["order", "scan", "touch", "big_order", "treat", "refund", "browse"], ["", "", "", " by channel"]),
    (["order", "scan", "touch", "treat", "refund"], [" by store", " by store.town", " by store.opened"]),
    (["order", "scan", "touch", "treat"], [" by quantity"]),
    (["order", "big_order", "refund"], [" by amount", " by store_id"]),
    (["order", "big_order"], [" by note", " by gift", " by grade", " by product", " by product.price"]),
]
GAPS = ["1d", "1d", "2d", "3d", "5d", "1w", "30d", "5min"]


@st.composite
def sequences(draw: st.DrawFn) -> str:
    plain, paths = draw(st.sampled_from([COMMON[0], COMMON[0], COMMON[1], *COMMON]))
    step = mostly([*plain, *plain, "order", *["touch"] * (3 if "touch" in plain else 0)], filtered_orders())
    gaps = st.sampled_from(GAPS)
    bound = st.one_of(
        gaps.map(" after {}".format), gaps.map(" within {}".format), gaps.map(" after 1d within {}".format)
    )
    bounds = mostly(["", ""], bound)
    without = mostly(["", "", ""], st.lists(step.map(" without {}".format), min_size=1, max_size=2).map("".join))
    follow = [draw(without)]
    thens = draw(st.sampled_from([0, 1, 1, 2, 2, 3])) or int(not follow[0])
    follow += [f" then {draw(step)}{draw(bounds)}{draw(without)}" for _ in range(thens)]
    window = mostly(["ever", "in last 30d", "in last 1w"], event_windows_or_repeats())
    return f"({draw(step)}{''.join(follow)}){draw(st.sampled_from(paths))} {draw(window)}"


SEGMENTS = ["buyers", "local", "lucky", "active", "shanghai", "rich", "fresh", "former", "moving", "steady"]


def memberships() -> st.SearchStrategy[str]:
    segments = st.sampled_from(SEGMENTS)
    moves = st.sampled_from(["entered", "left"])
    moved = st.builds(
        "{} segment {} {}".format, moves, segments, mostly(["in last 1w", "in last 1d"], event_windows_or_repeats())
    )
    return one_strategy_of(
        [
            segments.map("in segment {}".format),
            st.builds("was in segment {} {} ago".format, segments, st.sampled_from(ELAPSED)),
            st.builds("was in segment {} on {}".format, segments, written_dates() | st.just("2024-02-28")),
            moved,
            moved,
        ]
    )


def history_conditions() -> st.SearchStrategy[str]:
    return one_strategy_of([event_patterns().map("did {}".format), memberships()])


def amounts() -> st.SearchStrategy[str]:
    """Draws expressions of money."""
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


def leaf_conditions() -> st.SearchStrategy[str]:
    cmp = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
    apart = st.sampled_from(["<", "<=", ">", ">="])
    recencies = st.sampled_from(["last_touch", "first_order", "last_seen", "first_seen", "last_scan", "last_big_order"])
    return st.one_of(
        event_patterns().map("did {}".format),
        event_patterns().map("did not {}".format),
        memberships(),
        memberships().map("not {}".format),
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
            st.one_of(past_elapsed(), past_calendar(), future_windows(), st.just("in next 2d")),
        ),
        st.builds("birthday {}{}".format, st.sampled_from(["", "not "]), st.one_of(past_calendar(), future_windows())),
        st.builds(
            "anniversary of {} {}{}".format,
            st.sampled_from(["birthday", "namesday"]),
            st.sampled_from(["", "not "]),
            st.one_of(past_calendar().filter(is_bounded), future_windows()),
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


def is_bounded(window: str) -> bool:
    """Returns whether an anniversary condition may have the window."""
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
    "level > goal",
    "goal <= level",
    "(goal default 'bronze') < level",
    "latest(order.grade) >= level",
    "distinct(touch.store) > 1",
    "most(touch.store.town) = '上海'",
    "latest(touch.store in last 90d) = 's0'",
    "level = gold",
    "is_member = true",
    "is_member != false",
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
        leaf_conditions(),
        lambda inner: st.one_of(
            st.builds("({}) and ({})".format, inner, inner),
            st.builds("({}) or ({})".format, inner, inner),
            inner.map("not ({})".format),
            inner.map("({}) including unknown".format),
        ),
        max_leaves=4,
    )
