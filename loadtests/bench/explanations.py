"""`python -m loadtests.bench.explanations [people]`: measures explanations of memberships and facts of sampled people.

Prints the time of one call within the process in milliseconds, without gRPC. By default there are 100,000 people with
four to eleven events each.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from quanyu.api.event.v1 import event_pb2 as pb
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.dsl import Library, check_and_bind
from quanyu.engine import Index, Ingestor, LocalLog, Resolver
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.explanation.why import explain_membership, written_rule
from quanyu.tagging.preview.sampled_facts import facts

PEOPLE = 100_000
NOW_MS, DAY_MS = 1_795_339_800_000, 86_400_000
ROUNDS = 40
BATCH = 5_000
SCHEMA = pb.Schema(
    event_types=[
        pb.EventType(
            name="order",
            properties=[
                pb.Field(name="amount", type=pb.TYPE_MONEY, currency="CNY"),
                pb.Field(name="note", type=pb.TYPE_TEXT),
            ],
        ),
        pb.EventType(name="scan"),
    ],
    attributes=[
        pb.Field(name="city", type=pb.TYPE_ENUM, values=["Shanghai", "Beijing"]),
        pb.Field(name="age", type=pb.TYPE_NUMBER),
    ],
    settings=pb.Settings(timezone="Asia/Shanghai"),
)
LIBRARY = "metric spend = sum(order.amount in last 90d)"
RULES = {
    "explain a count of events": "did order at least 2 times in last 30d",
    "explain a sequence": "did (scan then order within 30d) in last 90d",
    "explain two values": "sum(order.amount in last 90d) / count(order) > 50 and latest(order.note) = 'n1'",
    "explain five clauses": (
        "did order at least 2 times in last 30d and spend > 100 and last_order > 10d and city = 'Shanghai' "
        "and did (scan then order within 30d) in last 90d"
    ),
}
SAMPLED = (
    "spend > 100 and last_order > 10d and count(order) > 2 and avg(order.amount) > 5 and city = 'Shanghai' and age > 9"
)


def records(people: int) -> Iterator[pb.Record]:
    chance = random.Random(7)
    for person in range(people):
        identifiers = [pb.Identifier(namespace="card", value=f"c{person}")]
        profile = pb.ProfileUpdate(source="crm", id=f"p{person}", identifiers=identifiers)
        profile.attributes["city"].text = chance.choice(["Shanghai", "Beijing"])
        profile.attributes["age"].decimal = str(chance.randrange(18, 80))
        yield pb.Record(profile=profile)
        for number in range(chance.randrange(4, 12)):
            kind = chance.choice(["order", "order", "scan"])
            event = pb.Event(source="till", id=f"{person}-{number}", type=kind, identifiers=identifiers)
            event.occurred_at.FromMilliseconds(NOW_MS - chance.randrange(200 * DAY_MS))
            if kind == "order":
                event.properties["amount"].decimal = str(chance.randrange(1, 20_000) / 100)
                event.properties["note"].text = f"n{chance.randrange(50)}"
            yield pb.Record(event=event)


def load(folder: Path, people: int) -> tuple[Index, Resolver]:
    raw, rejects = LocalLog.create(str(folder / "raw")), LocalLog.create(str(folder / "rejects"))
    ingestor = Ingestor(raw, rejects, str(folder / "ingest"))
    ingestor.put_schema(SCHEMA.SerializeToString(), NOW_MS)
    remaining = records(people)
    while batch := list(islice(remaining, BATCH)):
        request = ingestion_pb2.IngestRequest(workspace="bench", records=batch)
        ingestor.ingest(request.SerializeToString(), NOW_MS)
    index, resolver = Index(str(folder / "index")), Resolver(str(folder / "identity"))
    while frames := raw.read(resolver.offset(), 1 << 26):
        index.fold([(offset, resolver.fold(offset, frame)) for offset, frame in frames])
    ingestor.close()
    return index, resolver


def milliseconds(calls: Sequence[Callable[[], object]]) -> float:
    """Returns the median time of the calls."""
    times = []
    for call in calls:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return median(times)


def main(people: int = PEOPLE) -> None:
    with TemporaryDirectory(prefix="quanyu-bench-") as folder:
        index, resolver = load(Path(folder), people)
        schema = pb.Schema.FromString(index.schema())
        catalog = catalog_of(schema, index.channels())
        library = Library().publish(check_and_bind(LIBRARY, catalog, Library()))
        evaluation = EvaluationContext(catalog, library, clock_of(schema.settings, NOW_MS, index.earliest_ms()))
        persons = [resolver.resolve("card", f"c{person}") for person in range(0, people, max(people // ROUNDS, 1))]
        for name, text in RULES.items():
            explain = partial(explain_membership, index, written_rule(evaluation, text))
            _print_row(name, [partial(explain, person) for person in persons])
        sampled = check_and_bind(SAMPLED, catalog, library).condition
        assert sampled is not None
        for size in (10, 40):
            _print_row(
                f"six facts of {size} people", [partial(facts, evaluation, index, sampled, persons[:size])] * ROUNDS
            )


def _print_row(name: str, calls: Sequence[Callable[[], object]]) -> None:
    print(f"{name:30} {milliseconds(calls):9.2f} ms", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
