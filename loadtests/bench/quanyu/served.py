"""Measures the same questions through gRPC, idle and while events stream in."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import grpc
import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from loadtests.bench.quanyu.declared import NAMESPACE, WORKSPACE
from loadtests.bench.quanyu.loading import DATA
from loadtests.bench.questions import QUESTIONS, Question
from loadtests.bench.timing import ROUNDS
from loadtests.bench.world import AS_OF, Scale
from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2, ingestion_pb2_grpc
from quanyu.api.tagging.v1 import tagging_pb2, tagging_pb2_grpc
from quanyu.cli.demo.server import running
from quanyu.runtime.rpc.channels import open_channel

_BATCH = 200
_BATCHES_A_SECOND = 10
_SECONDS_BETWEEN_PROBES = 0.05
# The questions that are repeated while events stream in.
_LIVE = ("quiet", "orders_30d", "full")
_FRESH = "did scan in last 1h"


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of times in milliseconds."""

    p50: float
    p99: float
    samples: int

    @classmethod
    def of(cls, ms: list[float]) -> Spread:
        p50, p99 = np.percentile(ms, [50, 99])
        return cls(float(p50), float(p99), len(ms))


@dataclass(frozen=True, slots=True)
class Served:
    # By question: milliseconds of the whole call, and of its engine part.
    at_rest: dict[str, tuple[float, float]]
    events_a_second: float
    while_ingesting: dict[str, Spread]
    # From the acknowledgement of an event to an answer that includes it.
    freshness: Spread


def measure(store: Path, scale: Scale) -> Served:
    """Measures a loaded store.

    Streamed events happen now, long after the as-of instant, so they change no answer of other runs.
    """
    with running(store / DATA) as address, open_channel(address) as channel:
        client = _Client(channel)
        asked = [question for question in QUESTIONS if question.shape == "people" and client.answers(question)]
        at_rest = {question.name: client.at_rest(question) for question in asked}
        live = [question for question in asked if question.name in _LIVE]
        return _streaming(client, live, at_rest, scale)


class _Client:
    def __init__(self, channel: grpc.Channel) -> None:
        self._ingestion = ingestion_pb2_grpc.IngestionServiceStub(channel)
        self._tagging = tagging_pb2_grpc.TaggingServiceStub(channel)
        self._as_of = Timestamp()
        self._as_of.FromDatetime(AS_OF)

    def answers(self, question: Question) -> bool:
        request = tagging_pb2.ValidateRuleRequest(workspace=WORKSPACE, text=question.rule)
        return not self._tagging.ValidateRule(request).diagnostics

    def at_rest(self, question: Question) -> tuple[float, float]:
        calls = [self.ask(question) for _ in range(ROUNDS)]
        return median(whole for whole, _ in calls), median(engine for _, engine in calls)

    def ask(self, question: Question) -> tuple[float, float]:
        """Milliseconds of the call, and of the engine in it."""
        as_of = tagging_pb2.AsOf(instant=self._as_of)
        return self._preview(tagging_pb2.PreviewRuleRequest(workspace=WORKSPACE, text=question.rule, as_of=as_of))

    def ingest(self, request: ingestion_pb2.IngestRequest) -> int:
        """Ingests the records and returns the raw offset to wait for."""
        return int(self._ingestion.Ingest(request).raw_offset)

    def freshness(self, request: ingestion_pb2.IngestRequest) -> float:
        """Ingests the records. Returns the milliseconds from the acknowledgement to an answer that includes them."""
        wanted = tagging_pb2.AsOf(min_raw_offset=self.ingest(request))
        return self._preview(tagging_pb2.PreviewRuleRequest(workspace=WORKSPACE, text=_FRESH, as_of=wanted))[0]

    def _preview(self, request: tagging_pb2.PreviewRuleRequest) -> tuple[float, float]:
        started = time.perf_counter()
        answer = self._tagging.PreviewRule(request)
        return (time.perf_counter() - started) * 1000, answer.basis.milliseconds


def _streaming(client: _Client, live: list[Question], at_rest: dict[str, tuple[float, float]], scale: Scale) -> Served:
    batches = _requests(scale, scale.stream_seconds * _BATCHES_A_SECOND, _BATCH)
    probes = _requests(scale, int(scale.stream_seconds / _SECONDS_BETWEEN_PROBES), 1)
    ended = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        asking = threads.submit(_ask_until, ended, client, live)
        probing = threads.submit(_paced, probes, _SECONDS_BETWEEN_PROBES, client.freshness)
        started = time.perf_counter()
        _paced(batches, 1 / _BATCHES_A_SECOND, client.ingest)
        seconds = time.perf_counter() - started
        ended.set()
        while_ingesting = {name: Spread.of(ms) for name, ms in asking.result().items()}
        return Served(at_rest, len(batches) * _BATCH / seconds, while_ingesting, Spread.of(probing.result()))


def _ask_until(ended: threading.Event, client: _Client, questions: list[Question]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {question.name: [] for question in questions}
    for question in itertools.cycle(questions):
        times[question.name].append(client.ask(question)[0])
        if ended.is_set() and all(times.values()):
            return times
    return times


def _paced(
    requests: list[ingestion_pb2.IngestRequest], seconds: float, send: Callable[[ingestion_pb2.IngestRequest], float]
) -> list[float]:
    """Sends one request every `seconds` seconds, and waits for each response."""
    results = []
    due = time.perf_counter()
    for request in requests:
        time.sleep(max(due - time.perf_counter(), 0))
        results.append(send(request))
        due += seconds
    return results


def _requests(scale: Scale, count: int, events: int) -> list[ingestion_pb2.IngestRequest]:
    source, numbers = uuid.uuid4().hex, itertools.count()
    random = np.random.default_rng()
    now = Timestamp()
    now.GetCurrentTime()

    def records() -> Iterator[event_pb2.Record]:
        for number, person in zip(numbers, random.integers(0, scale.people, events), strict=False):
            event = event_pb2.Event(source=source, id=str(number), type="scan", channel="pos", occurred_at=now)
            event.identifiers.add(namespace=NAMESPACE, value=f"c{person}")
            yield event_pb2.Record(event=event)

    return [ingestion_pb2.IngestRequest(workspace=WORKSPACE, records=records()) for _ in range(count)]
