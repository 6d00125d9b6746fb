"""At which instants a rule may change its verdict, and at which others nothing is looked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanyu.dsl import Library, PartCompiler, check_and_bind
from quanyu.dsl.planning.serializer import serialize_root
from quanyu.engine import Dependencies, plan_dependencies
from quanyu.tagging.explanation.change_instants import PersonInstants, change_instants
from tests.unit.dsl.planning.compiled import DAY
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW

HOUR = 3_600_000


def reads(text: str, library: Library = LIBRARY) -> Dependencies:
    bound = check_and_bind(text, CATALOG, library)
    assert bound.condition is not None
    root, _ = PartCompiler(None, library, CATALOG, CLOCK).compile_relative_root(bound.condition)
    return plan_dependencies(serialize_root(root))


def told(text: str, events: dict[str, list[int]], instants: tuple[int, ...] = (), days: int = 400) -> list[int]:
    return change_instants(reads(text), PersonInstants(events, instants), NOW, NOW + days * DAY)


@pytest.mark.parametrize(
    ("text", "after_the_event"),
    [
        # T3: in until exactly 720 h ago.
        ("did order in last 30d", [30 * DAY + 1]),
        # C1: `>` is passed a millisecond after the duration, `>=` met at it; both are told.
        ("last_order > 30d", [30 * DAY, 30 * DAY + 1]),
        ("did order between 60d and 90d ago", [60 * DAY + 1, 90 * DAY + 1]),
        ("last_order between 60d and 90d ago", [60 * DAY, 60 * DAY + 1, 90 * DAY, 90 * DAY + 1]),
        ("did order ever", []),
        ("did order in this month", []),
        ("did scan in last 30d", []),
    ],
)
def test_an_event_meets_the_edges_of_windows(text: str, after_the_event: list[int]) -> None:
    event = NOW - HOUR
    assert told(text, {"order": [event]}) == [event + ms for ms in after_the_event]


def test_an_instant_to_come_is_met_a_millisecond_later() -> None:
    assert told("did order ever", {"order": [NOW + HOUR]}) == [NOW + HOUR + 1]
    assert told("channel in [pos]", {"scan": [NOW + HOUR]}) == [NOW + HOUR + 1]
    assert told("signup_at in last 7d", {}, (NOW - DAY,)) == [NOW + 6 * DAY + 1]
    assert told("signup_at in next 7d", {}, (NOW + 9 * DAY,)) == [NOW + 2 * DAY + 1, NOW + 9 * DAY + 1]


def test_only_what_lies_between_both_ends_is_told() -> None:
    event = NOW - HOUR
    assert told("did order in last 30d", {"order": [event]}, days=29) == []
    known = PersonInstants({"order": [event]}, ())
    found = change_instants(reads("did order in last 30d"), known, event + 30 * DAY + 1, NOW + 99 * DAY)
    assert found == []


def test_what_a_rule_reads() -> None:
    assert reads("channel in [pos]").channels
    assert reads("count(order) in top 10%").ranks
    assert reads("quintile(count(order)) = 5").ranks
    plain = reads("points > 5 and did order in last 7d")
    assert (plain.event_types, plain.attributes, plain.past_ms, plain.ranks) == ({"order"}, {"points"}, 0, False)


def test_how_far_back_attributes_are_asked_for() -> None:
    library = LIBRARY.publish(check_and_bind("segment rich: points > 5", CATALOG, LIBRARY))
    for text, past_ms in [
        ("was in segment rich 30d ago", 30 * DAY),
        ("in segment rich", 0),
        (f"was in segment rich on {CLOCK.local_time(NOW - 9 * DAY).date()}", 0),
    ]:
        assert reads(text, library).past_ms == past_ms


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(NOW - 100 * DAY, NOW), max_size=6),
    st.integers(1, 90),
    st.integers(NOW + 1, NOW + 100 * DAY),
)
def test_between_two_moments_as_many_events_are_in_the_window(events: list[int], days: int, at: int) -> None:
    """Counted by hand: the last moment before an instant has the same events in `in last ...d` as the instant."""
    moment = max((m for m in told(f"did order in last {days}d", {"order": events}) if m <= at), default=NOW + 0)

    def inside(as_of: int) -> list[int]:
        return [event for event in events if as_of - days * DAY <= event < as_of]

    if moment > NOW:
        assert inside(at) == inside(moment)
    else:
        assert inside(at) == inside(NOW + 1)
