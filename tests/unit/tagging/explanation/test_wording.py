"""Facts about a person in words."""

import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.runtime.instants import timestamp
from quanyu.tagging.explanation.wording import describe_witness, elapsed, local, number_of, value_text
from tests.unit.dsl.world import CLOCK, NOW

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "0ms"), (999, "999ms"), (61_000, "1min 1s"), (24 * HOUR, "1d"), (31 * 24 * HOUR + 4 * HOUR + 1, "31d 4h")],
)
def test_a_duration_has_its_two_largest_units(ms: int, words: str) -> None:
    assert elapsed(ms) == words


def test_an_instant_is_local_with_only_the_necessary_digits() -> None:
    assert [local(NOW + ms, CLOCK) for ms in (0, 1_000, 5)] == [
        "2026-11-22 17:30",
        "2026-11-22 17:30:01",
        "2026-11-22 17:30:00.005",
    ]


def test_values_are_written_as_in_rules() -> None:
    point = event_pb2.Point(latitude=31.5, longitude=121)
    entries = {"b": event_pb2.Value(flag=False), "a": event_pb2.Value(text="x")}
    for value, text in [
        (event_pb2.Value(decimal="12.50"), "12.5"),
        (event_pb2.Value(date="2026-11-22"), "2026-11-22"),
        (event_pb2.Value(set=event_pb2.TextSet(items=["a", "b"])), "['a', 'b']"),
        (event_pb2.Value(map=event_pb2.ValueMap(entries=entries)), "a: 'x', b: false"),
        (event_pb2.Value(point=point), "(31.5, 121.0)"),
        (event_pb2.Value(), "unknown"),
    ]:
        assert value_text(value, CLOCK) == text


def test_a_truncated_number_is_marked() -> None:
    measure = pb.Measure(text="count(order) / 3", value=event_pb2.Value(decimal="0.333333"), cut=True)
    assert describe_witness(pb.Witness(measure=measure), CLOCK) == "count(order) / 3 is about 0.333333"


def test_a_recency_has_the_instant_of_its_event() -> None:
    recency = pb.Recency(name="last_order", instant=timestamp(NOW - 2 * HOUR))
    assert describe_witness(pb.Witness(recency=recency), CLOCK) == "last_order is 2h, since 2026-11-22 15:30"
    assert (
        describe_witness(pb.Witness(recency=pb.Recency(name="last_order")), CLOCK)
        == "last_order is unknown: there is no such event"
    )


def test_a_number_has_a_singular_or_plural_noun() -> None:
    assert [number_of(count, "event") for count in (0, 1, 2)] == ["no event", "1 event", "2 events"]
