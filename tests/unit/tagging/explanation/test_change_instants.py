"""The instants at which a rule can change its verdict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Library, PartCompiler, check_and_bind
from quanyu.dsl.planning.serializer import serialize_root
from quanyu.engine import Dependencies, plan_dependencies
from quanyu.tagging.explanation.change_instants import PersonInstants, change_instants
from tests.seed import examples
from tests.unit.dsl.planning.compiled import DAY
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW

HOUR = 3_600_000


def dependencies_of(text: str, library: Library = LIBRARY) -> Dependencies:
    bound = check_and_bind(text, CATALOG, library)
    assert bound.condition is not None
    root, _ = PartCompiler(None, library, CATALOG, CLOCK).compile_relative_root(bound.condition)
    return plan_dependencies(serialize_root(root))


def candidates(text: str, events: dict[str, list[int]], instants: tuple[int, ...] = (), days: int = 400) -> list[int]:
    return change_instants(dependencies_of(text), PersonInstants(events, instants), NOW, NOW + days * DAY)


@pytest.mark.parametrize(
    ("text", "after_the_event"),
    [
        # T3: the window includes an event exactly 720 h ago.
        ("did order in last 30d", [30 * DAY + 1]),
        # C1: `>=` changes at the duration and `>` a millisecond later; both instants are candidates.
        ("last_order > 30d", [30 * DAY, 30 * DAY + 1]),
        ("did order between 60d and 90d ago", [60 * DAY + 1, 90 * DAY + 1]),
        ("last_order between 60d and 90d ago", [60 * DAY, 60 * DAY + 1, 90 * DAY, 90 * DAY + 1]),
        ("did order ever", []),
        ("did order in this month", []),
        ("did scan in last 30d", []),
    ],
)
def test_an_event_crosses_the_ends_of_windows(text: str, after_the_event: list[int]) -> None:
    event = NOW - HOUR
    assert candidates(text, {"order": [event]}) == [event + ms for ms in after_the_event]


def test_a_future_instant_counts_a_millisecond_later() -> None:
    assert candidates("did order ever", {"order": [NOW + HOUR]}) == [NOW + HOUR + 1]
    assert candidates("channel in [pos]", {"scan": [NOW + HOUR]}) == [NOW + HOUR + 1]
    assert candidates("signup_at in last 7d", {}, (NOW - DAY,)) == [NOW + 6 * DAY + 1]
    assert candidates("signup_at in next 7d", {}, (NOW + 9 * DAY,)) == [NOW + 2 * DAY + 1, NOW + 9 * DAY + 1]


def test_candidates_are_between_both_ends() -> None:
    event = NOW - HOUR
    assert candidates("did order in last 30d", {"order": [event]}, days=29) == []
    known = PersonInstants({"order": [event]}, ())
    found = change_instants(dependencies_of("did order in last 30d"), known, event + 30 * DAY + 1, NOW + 99 * DAY)
    assert found == []


def test_dependencies_are_what_the_rule_reads() -> None:
    assert dependencies_of("channel in [pos]").channels
    assert dependencies_of("count(order) in top 10%").ranks
    assert dependencies_of("quintile(count(order)) = 5").ranks
    plain = dependencies_of("points > 5 and did order in last 7d")
    assert (plain.event_types, plain.attributes, plain.past_ms, plain.ranks) == ({"order"}, {"points"}, 0, False)


def test_past_memberships_read_attributes_at_past_instants() -> None:
    library = LIBRARY.publish(check_and_bind("segment rich: points > 5", CATALOG, LIBRARY))
    for text, past_ms in [
        ("was in segment rich 30d ago", 30 * DAY),
        ("in segment rich", 0),
        (f"was in segment rich on {CLOCK.local_time(NOW - 9 * DAY).date()}", 0),
    ]:
        assert dependencies_of(text, library).past_ms == past_ms


@examples(200)
@given(
    st.lists(st.integers(NOW - 100 * DAY, NOW), max_size=6),
    st.integers(1, 90),
    st.integers(NOW + 1, NOW + 100 * DAY),
)
def test_the_events_in_a_window_change_only_at_candidates(events: list[int], days: int, at: int) -> None:
    """Compares with a count: the last candidate before an instant has the same events in the window as the instant."""
    candidate = max(
        (instant for instant in candidates(f"did order in last {days}d", {"order": events}) if instant <= at),
        default=NOW + 0,
    )

    def inside(as_of: int) -> list[int]:
        return [event for event in events if as_of - days * DAY <= event < as_of]

    if candidate > NOW:
        assert inside(at) == inside(candidate)
    else:
        assert inside(at) == inside(NOW + 1)
