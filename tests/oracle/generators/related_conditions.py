"""Generators of conditions about one subject, whose parts often exclude or imply each other."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.oracle.generators.conditions import (
    event_windows,
    future_windows,
    memberships,
    one_strategy_of,
    written_dates,
)

_COMPARISONS = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
_INEQUALITIES = st.sampled_from(["<", "<=", ">", ">="])
_SMALL = st.integers(0, 3).map(str)
_NOT = st.sampled_from(["", "not "])


def _events() -> st.SearchStrategy[str]:
    """Draws two definitions, their event types, and narrower filters."""
    filters = ["amount > 20", "amount >= 20", "amount > 60", "quantity = 1", "amount is known", "grade >= silver"]
    filtered = st.sampled_from(filters).map("order where ({})".format)
    return st.one_of(st.sampled_from(["order", "order", "scan", "touch", "big_order", "treat"]), filtered)


def _windows() -> st.SearchStrategy[str]:
    near = st.sampled_from(["in last 1d", "in last 7d", "in last 30d", "today", "yesterday", "in last 2 calendar days"])
    return st.one_of(near, event_windows())


def _event_conditions() -> st.SearchStrategy[str]:
    times = st.builds("{} {} times ".format, st.sampled_from(["at least", "at most", "exactly"]), _SMALL)
    did = st.sampled_from(["did", "did not"])
    counted = st.sampled_from(
        ["count(order{})", "days(order{})", "distinct(order.store_id{})", "count(order.amount{})"]
    )
    spaced = st.one_of(st.just(""), _windows().map(" {}".format))
    return one_strategy_of(
        [
            st.builds("{} {} {}".format, did, _events(), _windows()),
            st.builds("{} {} {}{}".format, did, _events(), times, _windows()),
            st.builds("{} {} for the first time {}".format, did, _events(), _windows()),
            st.builds("{} {} in at least {} of last 2 calendar days".format, did, _events(), _SMALL),
            st.builds("{} (scan then {} within 2d) {}".format, did, _events(), _windows()),
            st.builds(
                "{}_{} {} {}".format,
                st.sampled_from(["last", "first"]),
                st.sampled_from(["order", "scan", "touch", "big_order", "seen"]),
                _INEQUALITIES,
                st.sampled_from(["1d", "7d", "7d", "30d"]),
            ),
            st.builds("last_order {}{}".format, _NOT, _windows().filter(lambda window: window != "ever")),
            st.builds("latest(order{}) {} {}".format, spaced, _COMPARISONS, written_dates()),
            st.builds("{} {} {}".format, st.builds(lambda fn, w: fn.format(w), counted, spaced), _COMPARISONS, _SMALL),
            st.builds(
                "sum(order.amount{}) {} {}".format, spaced, _COMPARISONS, st.sampled_from(["0", "20", "balance"])
            ),
            st.builds("avg(order.amount{}) {}".format, spaced, st.sampled_from(["is known", "is unknown", "> 20"])),
        ]
    )


def _number_conditions() -> st.SearchStrategy[str]:
    value = st.sampled_from(["18", "30", "31", "0", "29.5"])
    expr = st.sampled_from(["age", "age", "age + 1", "2 * age", "-1 * age", "(age default 30)", "30 - age"])
    return st.one_of(
        st.builds("{} {} {}".format, expr, _COMPARISONS, value),
        st.builds("age {}between {} and {}".format, _NOT, st.sampled_from(["0", "18"]), st.sampled_from(["18", "30"])),
        st.builds("age {}in [{}, {}]".format, _NOT, st.sampled_from(["0", "18"]), st.sampled_from(["30", "31"])),
        st.sampled_from(["age is known", "age is unknown", "balance / balance > 1", "balance / balance is known"]),
        st.builds(
            "quintile(balance{}) {} {}".format, st.sampled_from(["", " among buyers"]), _COMPARISONS, st.integers(0, 6)
        ),
        st.builds(
            "balance in {} {} of buyers".format,
            st.sampled_from(["top", "bottom"]),
            st.sampled_from(["0", "0%", "50%", "100%", "2"]),
        ),
        st.builds("balance in top {}".format, st.sampled_from(["0", "0%", "50%", "100%", "2"])),
    )


def _choice_conditions() -> st.SearchStrategy[str]:
    levels = st.sampled_from(["bronze", "silver", "gold"])
    tastes = st.sampled_from(["spicy", "vegan", "sweet"])
    cities = st.sampled_from(["上海", "北京", "广州"])
    frequencies = st.sampled_from(["heavy", "medium", "light"])
    return one_strategy_of(
        [
            st.builds("level {} {}".format, _COMPARISONS, levels),
            st.builds("level {}in [{}, {}]".format, _NOT, levels, levels),
            st.builds("level {} goal".format, _COMPARISONS),
            st.builds("tastes has {} ['{}', '{}']".format, st.sampled_from(["any", "all", "none"]), tastes, tastes),
            st.builds("tastes {}in ['{}']".format, _NOT, tastes),
            st.builds("city {}in ['{}', '{}']".format, _NOT, cities, cities),
            st.builds("city {} '{}'".format, st.sampled_from(["=", "!="]), cities),
            st.builds("is_member {} {}".format, st.sampled_from(["=", "!="]), st.sampled_from(["true", "false"])),
            st.builds("frequency {} '{}'".format, st.sampled_from(["=", "!="]), frequencies),
            st.builds(
                "nickname {}{} '{}'".format,
                _NOT,
                st.sampled_from(["contains", "starts with", "ends with"]),
                st.sampled_from(["A", "An", "n", "", "明"]),
            ),
            st.sampled_from(["nickname = 'Ann'", "nickname in ['ann', 'Ann']", "level is known", "tastes is unknown"]),
        ]
    )  # fmt: skip


def _time_conditions() -> st.SearchStrategy[str]:
    written = st.builds("signup_at {} {}".format, _COMPARISONS, written_dates())
    births = st.one_of(
        st.builds("birthday {} {}".format, _COMPARISONS, written_dates()),
        st.builds(
            "birthday {}in {} {}".format,
            _NOT,
            st.sampled_from(["last", "this", "next"]),
            st.sampled_from(["month", "year"]),
        ),
        future_windows().map("birthday {}".format),
    )
    windows = _windows().filter(lambda window: window != "ever")
    return st.one_of(written, st.builds("signup_at {}{}".format, _NOT, st.one_of(windows, future_windows())), births)


def _membership_conditions() -> st.SearchStrategy[str]:
    share = st.sampled_from(["0%", "30%", "50%", "100%"])
    return st.one_of(memberships(), share.map("sample {} seed 'spring'".format))


FAMILIES = [
    _event_conditions(),
    _event_conditions(),
    _number_conditions(),
    _choice_conditions(),
    _time_conditions(),
    _membership_conditions(),
]


def related_conditions() -> st.SearchStrategy[str]:
    """Draws up to five conditions of one family, joined by `and`, `or` and `not`."""
    return one_strategy_of([_joined(family) for family in FAMILIES])


def clause_chains() -> st.SearchStrategy[str]:
    """Draws two to four conditions of one family, joined by one word."""
    return one_strategy_of([_chain(family, 2) for family in FAMILIES])


def _joined(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    whole = _chain(leaves, 1)
    pair = st.builds("({}) {} ({})".format, whole, st.sampled_from(["and", "or"]), _leaf(leaves))
    return st.one_of(whole, whole, pair, whole.map("not ({})".format))


def _chain(leaves: st.SearchStrategy[str], least: int) -> st.SearchStrategy[str]:
    parts = st.lists(_leaf(leaves).map("({})".format), min_size=least, max_size=4)
    return st.builds(lambda parts, word: f" {word} ".join(parts), parts, st.sampled_from(["and", "and", "or"]))


def _leaf(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(leaves, leaves, leaves.map("not ({})".format), leaves.map("({}) including unknown".format))
