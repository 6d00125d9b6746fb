"""An evaluation respects its memory budget, ends when it is cancelled and reports its cost."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quanyu.api.event.v1 import event_pb2 as pb
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.dsl import Library
from quanyu.engine import CancelledError, Index, Ingestor, InvalidError, Limits, LocalLog, OverBudgetError, Resolver
from quanyu.tagging.preview.preview import preview_draft
from quanyu.tagging.workspace import read_schema_snapshot

NOW = 1_800_000_000_000
ORDERED = {
    "op": "happened",
    "events": {"steps": [{"type": "order", "where": None}], "from": None, "to": NOW},
    "min": 2,
    "max": None,
}
COND = {"op": "all", "of": [{"op": "constant", "value": True}, {"op": "not", "of": ORDERED}]}
PLAN = json.dumps({"as_of": NOW, "roots": [{"name": "r", "cond": COND, "among": None}]}).encode()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Returns an index of one person with one order."""
    folder: Path = tmp_path_factory.mktemp("engine")
    raw, rejects = LocalLog.create(str(folder / "raw")), LocalLog.create(str(folder / "rejects"))
    ingestor = Ingestor(raw, rejects, str(folder / "ingest"))
    schema = pb.Schema(event_types=[pb.EventType(name="order", counts_as_seen=True)])
    ingestor.put_schema(schema.SerializeToString(), NOW)
    order = pb.Event(source="till", id="1", type="order", identifiers=[pb.Identifier(namespace="card", value="c1")])
    order.occurred_at.FromMilliseconds(NOW - 1)
    request = ingestion_pb2.IngestRequest(workspace="w", records=[pb.Record(event=order)])
    ingestor.ingest(request.SerializeToString(), NOW)
    ingestor.close()
    resolver, index = Resolver(str(folder / "identity")), Index(str(folder / "index"))
    index.fold([(offset, resolver.fold(offset, frame)) for offset, frame in raw.read(0, 1 << 30)])
    yield index
    raw.close()
    rejects.close()


def test_find_returns_members_without_other_counts(index: Index) -> None:
    answer = index.find(PLAN)
    assert answer.matched(0) == 1
    assert answer.roaring(0) == index.evaluate(PLAN).roaring(0)
    for told in (answer.counts, answer.clauses):
        with pytest.raises(InvalidError, match="only the members"):
            told(0)


def test_an_evaluation_beyond_its_budget_is_rejected(index: Index) -> None:
    assert index.evaluate(PLAN, limits=Limits(1 << 20)).counts(0) == (1, 0)
    with pytest.raises(OverBudgetError, match="more than the 1 bytes"):
        index.evaluate(PLAN, limits=Limits(1))


def test_a_preview_uses_the_limits_of_its_context(index: Index) -> None:
    evaluation = read_schema_snapshot(index).evaluation_at(Library(), NOW)
    rule = evaluation.bind("did not order at least 2 times ever")
    assert preview_draft(replace(evaluation, limits=Limits(1 << 20)), index, rule).counts[0].matched == 1
    with pytest.raises(OverBudgetError):
        preview_draft(replace(evaluation, limits=Limits(1)), index, rule)


def test_a_cancelled_evaluation_ends(index: Index) -> None:
    limits = Limits(1 << 20)
    limits.cancel()
    for evaluate in (index.evaluate, index.explain):
        with pytest.raises(CancelledError):
            evaluate(PLAN, limits=limits)


def test_explain_returns_the_cost_of_each_condition(index: Index) -> None:
    answer, explanation = index.explain(PLAN)
    assert answer.counts(0) == index.evaluate(PLAN).counts(0)
    [root] = [explanation.nodes[number] for number in explanation.roots]
    assert root.op == "all"
    constant, denied = [explanation.nodes[number] for number in root.of]
    [happened] = [explanation.nodes[number] for number in denied.of]
    assert (constant.op, constant.evaluated, constant.unread, constant.bytes) == ("constant", 1, 1, 0)
    assert (happened.op, happened.reads, happened.rows, happened.matched) == ("happened", ["order"], 1, 0)
    assert happened.bytes > 0
