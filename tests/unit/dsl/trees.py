"""Random syntax trees of every class, in the shapes that the parser builds."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from quanyu.dsl import syntax as s
from quanyu.dsl.keywords import RESERVED

_UNUSUAL = ["order", "last_touch", "é", "城市", "as", "is", "has", "any", "h", "min", "e3"]
_RESERVED = RESERVED | {"true", "false"}
_PLAIN = st.sampled_from(_UNUSUAL) | st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).filter(
    lambda n: n not in _RESERVED
)
any_names = st.one_of(_PLAIN, st.sampled_from(["times", "a b", "last", "次", "x-y", "1st"]))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=6).map(s.Text)
versions = st.none() | st.integers(1, 40)

quoted_refs = st.builds(s.Ref, any_names, versions, st.just(True))
# A reserved name, or one with other characters, needs backquotes, so the parser reads it as quoted.
refs = st.builds(s.Ref, _PLAIN, versions) | quoted_refs
keys = st.one_of(st.builds(s.Key, any_names), texts)
paths = st.builds(s.Path, refs, st.lists(keys, max_size=2).map(tuple))

_amounts = st.decimals(0, 10**9, places=2) | st.integers(0, 10**6).map(Decimal)
numbers = st.builds(s.Number, _amounts.flatmap(lambda n: st.sampled_from([n, -n])))
percents = st.builds(s.Percent, st.decimals(0, 100, places=1))
durations = st.builds(s.Duration, st.integers(1, 5000), st.sampled_from(["min", "h", "d", "w"]))
dates = st.builds(s.Date, st.dates())
moments = st.builds(s.DateTime, st.datetimes().map(lambda m: m.replace(second=0, microsecond=0)))
points = st.builds(s.Point, st.decimals(-90, 90, places=4), st.decimals(-180, 180, places=4))
distances = st.builds(s.Distance, st.decimals(0, 500, places=1), st.sampled_from(["km", "m"]))
whens = dates | moments
values = st.one_of(numbers, percents, texts, paths, st.builds(s.Boolean, st.booleans()))

units: Any = st.sampled_from(["day", "week", "month", "quarter", "year"])
_counts = st.integers(1, 99)


def _ordered(kind: Any, ends: Any) -> Any:
    def build(pair: Any) -> Any:
        return kind(*sorted(pair, key=lambda end: end.value))

    return st.tuples(ends, ends).map(build)


calendar = st.one_of(
    st.builds(s.LastUnits, _counts, units),
    st.builds(s.LastUnit, units),
    st.builds(s.ThisUnit, units),
    st.builds(s.Month, st.integers(1000, 9999), st.integers(1, 12)),
)
future_windows = st.builds(s.NextUnits, _counts, units) | st.builds(s.NextUnit, units)
past_day = st.builds(s.Today) | st.builds(s.Yesterday) | st.builds(s.OnDay, dates)
open_ended = st.builds(s.Since, whens) | st.builds(s.Before, whens)
elapsed = st.builds(s.LastElapsed, durations)
_ago = st.builds(s.BetweenDurations, durations, durations)
ranges = _ordered(s.BetweenDays, dates) | _ordered(s.BetweenDays, moments) | _ago
event_windows = st.one_of(calendar, elapsed, past_day, open_ended, ranges)
moment_windows = st.one_of(
    calendar, future_windows, elapsed, st.builds(s.NextElapsed, durations), past_day, open_ended, st.builds(s.Tomorrow)
)
day_windows = st.one_of(calendar, future_windows, past_day, st.builds(s.Tomorrow))
_repeat_units = st.builds(s.Units, _counts, units)
repeats = st.one_of(
    st.builds(s.InEach, _repeat_units),
    *(st.builds(kind, st.integers(0, 9), _repeat_units) for kind in (s.InAtLeast, s.InAtMost, s.InExactly)),
)
times = st.one_of(*(st.builds(kind, st.integers(0, 99)) for kind in (s.AtLeast, s.AtMost, s.Exactly)))

conditions: Any = st.deferred(lambda: _conditions)
expressions: Any = st.deferred(lambda: _expressions)

steps = st.builds(s.Step, refs, st.none() | conditions)
_aggregates = st.sampled_from(
    ["count", "sum", "avg", "min", "max", "median", "distinct", "days", "earliest", "latest", "most"]
)
_expressions: Any = st.recursive(
    st.one_of(values, durations, dates, moments),
    lambda inner: st.one_of(
        st.builds(s.Arithmetic, st.sampled_from("+-*/"), inner, inner),
        st.builds(s.Default, inner, inner),
        st.builds(s.Aggregate, _aggregates, paths, st.none() | conditions, st.none() | event_windows),
        st.builds(s.Tile, st.sampled_from(["quintile", "decile", "percentile"]), inner, st.none() | refs),
    ),
    max_leaves=4,
)
_ends = st.one_of(paths, st.builds(s.Boolean, st.booleans()))  # have no order, so both orders are valid
_lists = st.lists(values, min_size=1, max_size=3).map(tuple)
_later_steps = st.one_of(
    st.builds(s.ThenStep, steps, st.none() | durations, st.none() | durations), st.builds(s.WithoutStep, steps)
)
event_patterns = st.one_of(
    st.builds(s.Event, steps, st.none() | times, st.one_of(event_windows, repeats, st.builds(s.Ever))),
    st.builds(s.FirstEvent, steps, event_windows | st.builds(s.Ever)),
    st.builds(
        s.Sequence,
        steps,
        st.lists(_later_steps, min_size=1, max_size=3).map(tuple),
        st.none() | paths,
        st.one_of(event_windows, repeats, st.builds(s.Ever)),
    ),
)
_comparisons = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
_text_tests = (
    s.Contains, s.NotContains, s.StartsWith, s.NotStartsWith, s.EndsWith, s.NotEndsWith, s.Matches, s.NotMatches
)  # fmt: skip
_leaves = st.one_of(
    st.builds(s.Compare, expressions, _comparisons, expressions),
    *(st.builds(k, expressions, _ends, _ends) for k in (s.Between, s.NotBetween, s.BetweenAgo, s.NotBetweenAgo)),
    *(st.builds(k, expressions, _lists) for k in (s.InList, s.NotInList, s.HasAny, s.HasAll, s.HasNone)),
    *(st.builds(k, expressions, moment_windows) for k in (s.InWindow, s.NotInWindow)),
    *(
        st.builds(k, expressions, percents | st.integers(0, 99).map(Decimal).map(s.Number), st.none() | refs)
        for k in (s.InTop, s.InBottom)
    ),
    *(st.builds(k, expressions, values) for k in _text_tests),
    *(st.builds(k, expressions) for k in (s.IsKnown, s.IsUnknown)),
    *(st.builds(k, paths, day_windows) for k in (s.Anniversary, s.NotAnniversary)),
    st.builds(s.Near, paths, distances, points | paths),
    *(st.builds(k, event_patterns) for k in (s.Did, s.DidNot)),
    st.builds(s.InSegment, refs),
    st.builds(s.WasInSegmentAgo, refs, durations),
    st.builds(s.WasInSegmentOn, refs, dates),
    *(
        st.builds(k, refs, st.one_of(event_windows, repeats, st.builds(s.Ever)))
        for k in (s.EnteredSegment, s.LeftSegment)
    ),
    st.builds(s.Sample, percents, st.none() | texts),
)
_conditions: Any = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(s.AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(s.AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(s.Not, inner),
        st.builds(s.IncludingUnknown, inner),
    ),
    max_leaves=4,
)
_attrs = st.builds(s.Attr, any_names, st.one_of(values, durations, dates, moments, points, _lists))
_attr_lists = st.lists(_attrs, min_size=1, max_size=2).map(tuple)
_tests = st.builds(
    s.Test,
    texts.map(lambda text: text.value),
    st.lists(
        st.builds(s.GivenEvent, any_names, refs, whens, st.just(()) | _attr_lists)
        | st.builds(s.GivenPerson, any_names, _attr_lists),
        max_size=2,
    ).map(tuple),
    whens,
    st.lists(
        st.one_of(
            st.builds(s.ThenIn, any_names, refs),
            st.builds(s.ThenNotIn, any_names, refs),
            st.builds(s.ThenValue, any_names, any_names, values),
        ),
        max_size=2,
    ).map(tuple),
)
_tiers = st.lists(st.builds(s.Tier, values, conditions), min_size=1, max_size=3).map(tuple)
statements = st.one_of(
    st.builds(s.Setting, st.just(("day", "starts")), st.just(s.Text("04:00")) | texts),
    st.builds(s.Define, refs, st.lists(steps, min_size=1, max_size=3).map(tuple)),
    st.builds(s.Metric, refs, expressions),
    st.builds(s.Segment, refs, st.none() | refs, conditions),
    st.builds(s.Tag, refs, _tiers, st.none() | values),
    _tests,
)
