"""Errors say where the problem is and what to do, and no accepted record is lost."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.identity.v1 import identity_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.server_process import FLOW, Quanyu, address_of, reason, refusal, running, serve
from tests.integration.shop import SCHEMA, batch, order
from tests.waiting import PATIENCE


def test_a_used_port_is_reported(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}" in refusal(tmp_path / "data", port=port)
    assert not (tmp_path / "data").exists()


def test_an_unusable_data_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "choose another data folder" in refusal(tmp_path / "file" / "data")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"")
    assert "not a Quanyu data folder" in refusal(tmp_path / "photos")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "VERSION").write_text("0\n")
    assert "layout version '0'" in refusal(tmp_path / "old")


def test_listening_on_all_addresses_requires_authentication(tmp_path: Path) -> None:
    assert "QUANYU_AUTH_TOKEN_FILE" in refusal(tmp_path / "data", QUANYU_HOST="0.0.0.0")


def test_a_misspelt_setting_is_reported(tmp_path: Path) -> None:
    assert "did you mean QUANYU_THREADS" in refusal(tmp_path / "data", QUANYU_THREAD="4")


def test_a_damaged_database_is_reported(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, [FLOW]) as quanyu:
        quanyu.stop()
    (data / "quanyu.db").write_bytes(b"not a database" * 100)
    assert "quanyu.db" in refusal(data)


def test_a_second_process_on_a_data_folder_does_not_start(tmp_path: Path) -> None:
    first = serve(tmp_path / "data", "identity")
    address_of(first)
    assert "already runs the identity service" in refusal(tmp_path / "data", "identity", "tagging")
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=PATIENCE)
    assert first.returncode == 0


def test_a_damaged_log_is_named_and_stays_unchanged(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, [FLOW]) as quanyu:
        workspace = quanyu.workspace
        quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=workspace, schema=SCHEMA))
        for n in range(50):
            quanyu.ingestion.Ingest(batch(workspace, order(str(n), "card:ann", 1)))
        quanyu.stop()
    segment = next(
        path for path in sorted((data / workspace / "log" / "raw" / "0").iterdir()) if path.stat().st_size > 1000
    )
    contents = bytearray(segment.read_bytes())
    contents[len(contents) // 3] ^= 0xFF
    segment.write_bytes(contents)
    damaged = refusal(data)
    assert str(segment) in damaged
    assert "damaged" in damaged
    assert segment.read_bytes() == contents


INVALID = grpc.StatusCode.INVALID_ARGUMENT
PREVIEW = tagging_pb2.PreviewRuleRequest
PUBLISH = tagging_pb2.PublishRuleRequest
RULES = [
    ("segment s: city matches 'a('", "RULE_VALUE"),
    ("did ordr ever", "RULE_NAME"),
    ("did order in last 30 days", "RULE_SYNTAX"),
    ("city > 3", "RULE_TYPE"),
    ("test 'x' { when as of 2026-01-01 }", "RULE_VALUE"),
    ("define a = order or b\ndefine b = order or a\nsegment s: did a ever", "RULE_CYCLE"),
]


@pytest.fixture
def declared(quanyu: Quanyu) -> Quanyu:
    offset = quanyu.ingestion.PutSchema(
        ingestion_pb2.PutSchemaRequest(workspace=quanyu.workspace, schema=SCHEMA)
    ).raw_offset
    known = tagging_pb2.ValidateRuleRequest(workspace=quanyu.workspace, text="did order ever", min_raw_offset=offset)
    assert not quanyu.tagging.ValidateRule(known, timeout=PATIENCE).diagnostics
    return quanyu


@pytest.mark.parametrize(("text", "why"), RULES)
def test_an_invalid_rule_is_rejected_with_the_place_of_its_error(declared: Quanyu, text: str, why: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        declared.tagging.PublishRule(PUBLISH(workspace=declared.workspace, text=text))
    code, found, metadata = reason(caught.value)
    assert (code, found) == (INVALID, why)
    assert int(metadata["line"]) >= 1
    assert int(metadata["column"]) >= 1
    assert "^" in caught.value.details()
    (diagnostic,) = declared.tagging.ValidateRule(
        tagging_pb2.ValidateRuleRequest(workspace=declared.workspace, text=text)
    ).diagnostics
    assert (diagnostic.reason, str(diagnostic.line), str(diagnostic.column)) == (
        why,
        metadata["line"],
        metadata["column"],
    )
    half_typed = declared.tagging.PreviewRule(PREVIEW(workspace=declared.workspace, text=text))
    assert list(half_typed.diagnostics) == [diagnostic]
    assert not half_typed.sets


def test_each_invalid_clause_has_an_error(declared: Quanyu) -> None:
    request = tagging_pb2.ValidateRuleRequest(
        workspace=declared.workspace, text="did ordr and did order\nand did order in last 30 days"
    )
    diagnostics = declared.tagging.ValidateRule(request).diagnostics
    assert [(d.reason, d.line, d.column) for d in diagnostics] == [("RULE_NAME", 1, 5), ("RULE_SYNTAX", 2, 23)]


def test_an_error_suggests_similar_names(declared: Quanyu) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        declared.tagging.PublishRule(PUBLISH(workspace=declared.workspace, text="did ordr ever"))
    assert "order" in reason(caught.value)[2]["suggestions"]


CALLS: list[tuple[str, Callable[[Quanyu], object], grpc.StatusCode, str]] = [
    (
        "no workspace",
        lambda q: q.ingestion.Ingest(ingestion_pb2.IngestRequest()),
        INVALID,
        "INVALID_WORKSPACE",
    ),
    (
        "a workspace elsewhere",
        lambda q: q.ingestion.Ingest(ingestion_pb2.IngestRequest(workspace="../../etc")),
        INVALID,
        "INVALID_WORKSPACE",
    ),
    (
        "a workspace that is not there",
        lambda q: q.tagging.GetCatalog(tagging_pb2.GetCatalogRequest(workspace="nowhere")),
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_WORKSPACE",
    ),
    (
        "a segment that is not there",
        lambda q: next(q.tagging.Evaluate(tagging_pb2.EvaluateRequest(workspace=q.workspace, segment="gone"))),
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_RULE",
    ),
    (
        "a version that is not there",
        lambda q: q.tagging.GetRule(tagging_pb2.GetRuleRequest(workspace=q.workspace, name="gone", version=3)),
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_RULE",
    ),
    (
        "a lone condition published",
        lambda q: q.tagging.PublishRule(tagging_pb2.PublishRuleRequest(workspace=q.workspace, text="did order ever")),
        INVALID,
        "RULE_WITHOUT_NAME",
    ),
    (
        "an empty text counted",
        lambda q: q.tagging.PreviewRule(PREVIEW(workspace=q.workspace)),
        INVALID,
        "RULE_NOT_A_SET",
    ),
    (
        "an empty text published",
        lambda q: q.tagging.PublishRule(tagging_pb2.PublishRuleRequest(workspace=q.workspace)),
        INVALID,
        "RULE_EMPTY",
    ),
    (
        "a definition counted",
        lambda q: q.tagging.PreviewRule(PREVIEW(workspace=q.workspace, text="define touch = order")),
        INVALID,
        "RULE_NOT_A_SET",
    ),
    (
        "more people shown than may be",
        lambda q: q.tagging.PreviewRule(PREVIEW(workspace=q.workspace, text="did order ever", sample=101)),
        INVALID,
        "SAMPLE_SIZE",
    ),
    (
        "an overlap of one",
        lambda q: q.tagging.DescribeOverlap(
            tagging_pb2.DescribeOverlapRequest(workspace=q.workspace, conditions=["did order ever"])
        ),
        INVALID,
        "OVERLAP_SETS",
    ),
    (
        "an overlap with a segment's text",
        lambda q: q.tagging.DescribeOverlap(
            tagging_pb2.DescribeOverlapRequest(
                workspace=q.workspace, conditions=["did order ever", "segment s: did order ever"]
            )
        ),
        INVALID,
        "RULE_NOT_A_SET",
    ),
    (
        "a person that is not there",
        lambda q: q.tagging.GetProfile(tagging_pb2.GetProfileRequest(workspace=q.workspace, person=7)),
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_PERSON",
    ),
    (
        "a person that identity does not know",
        lambda q: q.identity.GetPerson(identity_pb2.GetPersonRequest(workspace=q.workspace, person=7)),
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_PERSON",
    ),
    (
        "nobody asked for",
        lambda q: q.identity.Resolve(identity_pb2.ResolveRequest(workspace=q.workspace)),
        INVALID,
        "INVALID_INPUT",
    ),
    (
        "a page token made up",
        lambda q: q.ingestion.ListDeadLetters(
            ingestion_pb2.ListDeadLettersRequest(workspace=q.workspace, page_token="page two")
        ),
        INVALID,
        "INVALID_PAGE_TOKEN",
    ),
    (
        "a page token of rules made up",
        lambda q: q.tagging.ListRules(tagging_pb2.ListRulesRequest(workspace=q.workspace, page_token="x")),
        INVALID,
        "INVALID_PAGE_TOKEN",
    ),
    (
        "a set of persons that is none",
        lambda q: list(
            q.identity.ListIdentifiers(
                identity_pb2.ListIdentifiersRequest(workspace=q.workspace, persons=b"junk", namespace="card")
            )
        ),
        INVALID,
        "INVALID_INPUT",
    ),
    (
        "a log that is not there yet",
        lambda q: q.identity.Resolve(
            identity_pb2.ResolveRequest(workspace=q.workspace, min_raw_offset=10**9), timeout=0.5
        ),
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "",
    ),
]


FAR_FUTURE = Timestamp(seconds=2**62)
CALLS += [
    (
        "an instant that no calendar has",
        lambda q: q.tagging.PreviewRule(
            PREVIEW(workspace=q.workspace, text="did order ever", as_of=tagging_pb2.AsOf(instant=FAR_FUTURE))
        ),
        INVALID,
        "INVALID_TIME",
    ),
    (
        "a rule of 100 kB that is wrong at its end",
        lambda q: q.tagging.PublishRule(PUBLISH(workspace=q.workspace, text="city = '上海' or " * 6_000 + "cty = 'x'")),
        INVALID,
        "RULE_NAME",
    ),
    (
        "a long name of a workspace",
        lambda q: q.tagging.GetCatalog(tagging_pb2.GetCatalogRequest(workspace="店" * 100_000)),
        INVALID,
        "INVALID_WORKSPACE",
    ),
    (
        "a pattern that is none, published",
        lambda q: q.tagging.PublishRule(
            tagging_pb2.PublishRuleRequest(workspace=q.workspace, text="tag t: 'x' when city matches '('; else 'y'")
        ),
        INVALID,
        "RULE_VALUE",
    ),
    (
        "brackets in brackets",
        lambda q: q.tagging.PreviewRule(
            PREVIEW(workspace=q.workspace, text="(" * 90 + "did order ever" + " or did browse ever)" * 90)
        ),
        INVALID,
        "RULE_NOT_COUNTABLE",
    ),
    (
        "a page token with numbers that nothing counts to",
        lambda q: q.tagging.ListRules(
            tagging_pb2.ListRulesRequest(workspace=q.workspace, page_token="9" * 20 + ":name")
        ),
        INVALID,
        "INVALID_PAGE_TOKEN",
    ),
]


def test_each_invalid_call_is_rejected_with_its_reason(declared: Quanyu) -> None:
    for what, call, code, why in CALLS:
        with pytest.raises(grpc.RpcError) as caught:
            call(declared)
        assert caught.value.code() == code, what
        if why and code != grpc.StatusCode.DEADLINE_EXCEEDED:
            assert reason(caught.value)[:2] == (code, why), what
    known = declared.ingestion.GetSchema(ingestion_pb2.GetSchemaRequest(workspace=declared.workspace)).schema
    assert {event_type.name for event_type in known.event_types} == {"order", "browse"}


@pytest.mark.parametrize("sent", [b"\xff" * 30, b"\x0a\x04shop\x12\xff\xff\xff\xff\x0f"])
def test_malformed_requests_are_rejected(declared: Quanyu, sent: bytes) -> None:
    declared.ingestion.Ingest(batch(declared.workspace, order("1", "card:ann", 1)))
    raw_call = declared.channels["ingestion"].unary_unary("/quanyu.api.ingestion.v1.IngestionService/Ingest")
    with pytest.raises(grpc.RpcError) as caught:
        raw_call(sent)
    assert caught.value.code() == INVALID
    assert declared.ingestion.Ingest(batch(declared.workspace, order("1", "card:ann", 1))).duplicates == 1


def test_a_batch_over_64_mib_is_rejected(declared: Quanyu) -> None:
    declared.ingestion.Ingest(batch(declared.workspace, order("1", "card:ann", 1)))
    record = order("1", "card:ann", 1)
    record.event.id = "x" * (64 * 2**20)
    with pytest.raises(grpc.RpcError) as caught:
        declared.ingestion.Ingest(batch(declared.workspace, record))
    assert caught.value.code() in (INVALID, grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert declared.ingestion.Ingest(batch(declared.workspace, order("1", "card:ann", 1))).duplicates == 1
