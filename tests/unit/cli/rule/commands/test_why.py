"""Why somebody is in or not, as lines."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.event.v1 import event_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.commands.why import verdict_lines
from tests.unit.dsl.world import CLOCK, NOW


def at(ms: int) -> Timestamp:
    made = Timestamp()
    made.FromMilliseconds(ms)
    return made


DECIMAL = event_pb2.Value(decimal="30")
EVENT = pb.TimelineEvent(type="order", occurred_at=at(NOW - 60_000), channel="pos", properties={"amount": DECIMAL})
CLAUSES = [
    pb.ClauseVerdict(
        text="did order at least 3 times in last 30d",
        verdict=pb.VERDICT_FALSE,
        because="2 events count",
        witnesses=[pb.Witness(event=EVENT)],
        more_events=1,
    ),
    pb.ClauseVerdict(
        text="level = gold or city = '上海'",
        verdict=pb.VERDICT_UNKNOWN,
        parts=[
            pb.ClauseVerdict(
                text="level = gold",
                verdict=pb.VERDICT_FALSE,
                witnesses=[
                    pb.Witness(attribute=pb.AttributeFact(name="level", value=event_pb2.Value(text="silver"))),
                    pb.Witness(attribute=pb.AttributeFact(name="city")),
                    pb.Witness(measure=pb.Measure(text="count(order)", value=DECIMAL)),
                    pb.Witness(recency=pb.Recency(name="last_order@1", instant=at(NOW - 60_000))),
                    pb.Witness(recency=pb.Recency(name="last_scan")),
                ],
            )
        ],
    ),
]


def answer(flip: pb.Flip) -> pb.ExplainMembershipResponse:
    return pb.ExplainMembershipResponse(
        verdict=pb.VERDICT_FALSE, clauses=CLAUSES, flip=flip, basis=pb.Basis(as_of=at(NOW))
    )


def test_every_fact_is_a_line_under_its_clause() -> None:
    flip = pb.Flip(at=at(NOW + 60_000), verdict=pb.VERDICT_TRUE, because="level = gold", approximate=True)
    assert list(verdict_lines(answer(flip), CLOCK)) == [
        "false as of 2026-11-22 17:30:00+08:00 (Asia/Shanghai)",
        "  false: did order at least 3 times in last 30d: 2 events count",
        "    order at 2026-11-22 17:29:00+08:00 in pos {amount: 30}",
        "    and 1 more",
        "  unknown: level = gold or city = '上海'",
        "    false: level = gold",
        "      level: silver",
        "      city: unknown",
        "      count(order) = 30",
        "      last_order@1: 2026-11-22 17:29:00+08:00",
        "      last_scan: never",
        "true from about 2026-11-22 17:31:00+08:00 on, if nothing happens: level = gold",
    ]


def test_where_nothing_changes_it_says_until_when_it_was_looked_for() -> None:
    *_, last = verdict_lines(answer(pb.Flip(looked_until=at(NOW))), CLOCK)
    assert last == "this does not change until 2026-11-22 17:30:00+08:00, if nothing happens"
