"""Random conditions whose parts are about the same thing, so that they often exclude or imply each other."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.oracle.strategies import coming, event_windows, memberships, one_kind, written_dates

_CMP = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
_APART = st.sampled_from(["<", "<=", ">", ">="])
_SMALL = st.integers(0, 3).map(str)
_NOT = st.sampled_from(["", "not "])


def _events() -> st.SearchStrategy[str]:
    """Two definitions, what they are made of, and narrower filters."""
    filters = ["amount > 20", "amount >= 20", "amount > 60", "quantity = 1", "amount is known", "grade >= silver"]
    filtered = st.sampled_from(filters).map("order where ({})".format)
    return st.one_of(st.sampled_from(["order", "order", "scan", "touch", "big_order", "treat"]), filtered)


def _windows() -> st.SearchStrategy[str]:
    near = st.sampled_from(["in last 1d", "in last 7d", "in last 30d", "today", "yesterday", "in last 2 calendar days"])
    return st.one_of(near, event_windows())


def _happenings() -> st.SearchStrategy[str]:
    times = st.builds("{} {} times ".format, st.sampled_from(["at least", "at most", "exactly"]), _SMALL)
    did = st.sampled_from(["did", "did not"])
    counted = st.sampled_from(
        ["count(order{})", "days(order{})", "distinct(order.store_id{})", "count(order.amount{})"]
    )
    spaced = st.one_of(st.just(""), _windows().map(" {}".format))
    return one_kind(
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
                _APART,
                st.sampled_from(["1d", "7d", "7d", "30d"]),
            ),
            st.builds("last_order {}{}".format, _NOT, _windows().filter(lambda window: window != "ever")),
            st.builds("latest(order{}) {} {}".format, spaced, _CMP, written_dates()),
            st.builds("{} {} {}".format, st.builds(lambda fn, w: fn.format(w), counted, spaced), _CMP, _SMALL),
            st.builds("sum(order.amount{}) {} {}".format, spaced, _CMP, st.sampled_from(["0", "20", "balance"])),
            st.builds("avg(order.amount{}) {}".format, spaced, st.sampled_from(["is known", "is unknown", "> 20"])),
        ]
    )


def _of_numbers() -> st.SearchStrategy[str]:
    value = st.sampled_from(["18", "30", "31", "0", "29.5"])
    expr = st.sampled_from(["age", "age", "age + 1", "2 * age", "-1 * age", "(age default 30)", "30 - age"])
    return st.one_of(
        st.builds("{} {} {}".format, expr, _CMP, value),
        st.builds("age {}between {} and {}".format, _NOT, st.sampled_from(["0", "18"]), st.sampled_from(["18", "30"])),
        st.builds("age {}in [{}, {}]".format, _NOT, st.sampled_from(["0", "18"]), st.sampled_from(["30", "31"])),
        st.sampled_from(["age is known", "age is unknown", "balance / balance > 1", "balance / balance is known"]),
        st.builds("quintile(balance{}) {} {}".format, st.sampled_from(["", " among buyers"]), _CMP, st.integers(0, 6)),
        st.builds(
            "balance in {} {} of buyers".format,
            st.sampled_from(["top", "bottom"]),
            st.sampled_from(["0", "0%", "50%", "100%", "2"]),
        ),
        st.builds("balance in top {}".format, st.sampled_from(["0", "0%", "50%", "100%", "2"])),
    )


def _of_choices() -> st.SearchStrategy[str]:
    levels = st.sampled_from(["bronze", "silver", "gold"])
    tastes = st.sampled_from(["spicy", "vegan", "sweet"])
    cities = st.sampled_from(["上海", "北京", "广州"])
    frequencies = st.sampled_from(["heavy", "medium", "light"])
    return one_kind(
        [
            st.builds("level {} {}".format, _CMP, levels),
            st.builds("level {}in [{}, {}]".format, _NOT, levels, levels),
            st.builds("level {} goal".format, _CMP),
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


def _of_time() -> st.SearchStrategy[str]:
    written = st.builds("signup_at {} {}".format, _CMP, written_dates())
    births = st.one_of(
        st.builds("birthday {} {}".format, _CMP, written_dates()),
        st.builds(
            "birthday {}in {} {}".format,
            _NOT,
            st.sampled_from(["last", "this", "next"]),
            st.sampled_from(["month", "year"]),
        ),
        coming().map("birthday {}".format),
    )
    windows = _windows().filter(lambda window: window != "ever")
    return st.one_of(written, st.builds("signup_at {}{}".format, _NOT, st.one_of(windows, coming())), births)


def _of_people() -> st.SearchStrategy[str]:
    share = st.sampled_from(["0%", "30%", "50%", "100%"])
    return st.one_of(memberships(), share.map("sample {} seed 'spring'".format))


FAMILIES = [_happenings(), _happenings(), _of_numbers(), _of_choices(), _of_time(), _of_people()]


def kindred() -> st.SearchStrategy[str]:
    """Up to five of one family, joined in one way or another."""
    return one_kind([_joined(family) for family in FAMILIES])


def clauses() -> st.SearchStrategy[str]:
    """Two to four of one family, side by side."""
    return one_kind([_chain(family, 2) for family in FAMILIES])


def _joined(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    whole = _chain(leaves, 1)
    pair = st.builds("({}) {} ({})".format, whole, st.sampled_from(["and", "or"]), _leaf(leaves))
    return st.one_of(whole, whole, pair, whole.map("not ({})".format))


def _chain(leaves: st.SearchStrategy[str], least: int) -> st.SearchStrategy[str]:
    parts = st.lists(_leaf(leaves).map("({})".format), min_size=least, max_size=4)
    return st.builds(lambda parts, word: f" {word} ".join(parts), parts, st.sampled_from(["and", "and", "or"]))


def _leaf(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(leaves, leaves, leaves.map("not ({})".format), leaves.map("({}) including unknown".format))
