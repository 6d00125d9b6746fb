"""The questions of the benchmark. Every system answers them as of the same instant, with its own queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from loadtests.bench.world.habits import CHANNELS
from loadtests.bench.world.people import CITIES, LEVELS

# Ad hoc: uses only events and attributes. Maintained: can use data that is kept up to date for exactly such questions.
Mode = Literal["ad hoc", "maintained"]
# A set of people; the same as Roaring bytes; many sets at once; who entered and left each of them since yesterday.
Shape = Literal["people", "bytes", "segments", "changes"]


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    title: str
    mode: Mode
    # The condition that Quanyu parses at query time. A maintained question is published before, as a segment with the
    # name of the question.
    rule: str
    shape: Shape = "people"

    @property
    def parts(self) -> int:
        """The number of sets in the answer: one for each segment, or for each segment who entered and who left."""
        return {"people": 1, "bytes": 1, "segments": len(SEGMENTS), "changes": 2 * len(SEGMENTS)}[self.shape]


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: no touch for `days` days, seen in a channel, in a city, of at least a level."""

    name: str
    days: int
    channel: str
    city: str
    level: str

    @property
    def rule(self) -> str:
        return (
            f"last_touch > {self.days}d and channel in [{self.channel}] "
            f"and city in ['{self.city}'] and level >= {self.level}"
        )


SEGMENTS = tuple(
    Segment(
        name=f"s{number:04}",
        days=5 + number % 40 * 4,
        channel=CHANNELS[number % len(CHANNELS)],
        city=CITIES[number * 7 % 100],
        level=LEVELS[number % 3],
    )
    for number in range(1_000)
)

DEFINITIONS = """
define touch = order or scan
define activity = browse or order or scan or review or refund
metric spend = sum(order.amount)
segment buyers: did order ever
"""
_QUIET_TITLE = "No touch for 30 days, seen at the till or in the mini-program"
_FULL_TITLE = "No touch for 30 days, but active; in four cities"
_QUIET = "last_touch > 30d and channel in [pos, miniapp]"
_CITIES = "city in ['city-000', 'city-001', 'city-002', 'city-003']"
_FULL = f"{_QUIET} and {_CITIES} and did activity at least 2 times in last 30d"
_MANY = "last_touch > ...d and channel in [...] and city in [...] and level >= ..."

QUESTIONS = (
    Question("quiet", _QUIET_TITLE, "ad hoc", _QUIET),
    Question("quiet_kept", _QUIET_TITLE, "maintained", _QUIET),
    Question(
        "profile",
        "Five attributes",
        "ad hoc",
        f"{_CITIES} and level >= silver and gender = female and tastes has any ['spicy', 'vegan'] and score >= 40",
    ),
    Question(
        "five_clauses",
        "Recency, channels, city, level and birthday",
        "maintained",
        f"{_QUIET} and {_CITIES} and level >= silver and birthday < 1990-01-01",
    ),
    Question("orders_30d", "Two orders in 30 days", "ad hoc", "did order at least 2 times in last 30d"),
    Question(
        "activity_30d", "Two events of any type in 30 days", "ad hoc", "did activity at least 2 times in last 30d"
    ),
    Question(
        "delivery",
        "Over 100 spent on delivery in 90 days, no order in 7",
        "ad hoc",
        "sum(order.amount where (channel = delivery) in last 90d) > 100 and did not order in last 7d",
    ),
    Question(
        "browsed_only",
        "Browsed in 30 days, but did not order",
        "ad hoc",
        "did browse in last 30d and did not order in last 30d",
    ),
    Question("count_ever", "Ten orders ever", "ad hoc", "count(order) >= 10"),
    Question("sum_ever", "Over 500 spent ever", "ad hoc", "sum(order.amount) > 500"),
    Question("first_order", "First order ever in 7 days", "ad hoc", "did order for the first time in last 7d"),
    Question(
        "coffee",
        "Two coffees at one of three stores in 90 days",
        "ad hoc",
        "did order where (category = 'coffee' and store_id in ['0', '1', '2']) at least 2 times in last 90d",
    ),
    Question("stores", "Orders at three stores in 90 days", "ad hoc", "distinct(order.store_id in last 90d) >= 3"),
    Question("funnel", "Browsed, then ordered within 7 days, ever", "ad hoc", "did (browse then order within 7d)"),
    Question("top_spenders", "The top tenth of buyers by what they spent", "ad hoc", "spend in top 10% of buyers"),
    Question("full", _FULL_TITLE, "ad hoc", _FULL),
    Question("full_kept", _FULL_TITLE, "maintained", _FULL),
    Question("segments", "1,000 segments in one call", "maintained", _MANY, shape="segments"),
    Question("changes", "1,000 segments: who joined and left in a day", "maintained", _MANY, shape="changes"),
    Question("export", "Half of all people, as roaring bytes", "ad hoc", "gender = female", shape="bytes"),
)

_KEPT = "\n".join(f"segment {q.name}: {q.rule}" for q in QUESTIONS if q.mode == "maintained" and q.shape == "people")
_AT_ONCE = 50
# The texts that Quanyu publishes: the names that conditions use, and the maintained segments.
PUBLISHED = (
    DEFINITIONS + _KEPT,
    *(
        "\n".join(f"segment {segment.name}: {segment.rule}" for segment in SEGMENTS[start : start + _AT_ONCE])
        for start in range(0, len(SEGMENTS), _AT_ONCE)
    ),
)
