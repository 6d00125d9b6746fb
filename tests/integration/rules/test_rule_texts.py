"""Completes, formats and explains the text of a rule."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from tests.integration.server_process import Quanyu, reason
from tests.integration.shop import NOW, SCHEMA, batch, lives_in, order
from tests.waiting import PATIENCE

ALIASED = event_pb2.Schema(
    attributes=[event_pb2.Field(name="city", type=event_pb2.TYPE_ENUM, aliases=["城市"])],
    event_types=[event_pb2.EventType(name="browse", aliases=["浏览"])],
)


@pytest.fixture
def shop(quanyu: Quanyu) -> Quanyu:
    """Ingests three people in Beijing and one in Shanghai, one with an order; publishes a segment and a definition."""
    workspace = quanyu.workspace
    for schema in (SCHEMA, ALIASED):
        quanyu.ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=workspace, schema=schema))
    records = [lives_in(f"card:{n}", "Beijing") for n in (1, 2, 3)]
    records += [lives_in("card:9", "Shanghai"), order("1", "card:9", 3)]
    offset = quanyu.ingestion.Ingest(batch(workspace, *records)).raw_offset
    text = "define touch = order or browse segment buyers: did order in last 30d"
    publish = pb.PublishRuleRequest(workspace=workspace, text=text, min_raw_offset=offset)
    quanyu.tagging.PublishRule(publish, timeout=PATIENCE)
    return quanyu


def complete(shop: Quanyu, text: str, offset: int | None = None, limit: int = 0) -> pb.CompleteRuleResponse:
    at = len(text) if offset is None else offset
    request = pb.CompleteRuleRequest(workspace=shop.workspace, text=text, offset=at, limit=limit)
    return shop.tagging.CompleteRule(request, timeout=PATIENCE)


def test_completion_offers_values_with_their_numbers_of_people(shop: Quanyu) -> None:
    found = complete(shop, "city = ")
    assert [(item.text, item.kind, item.people) for item in found.items[:2]] == [
        ("'Beijing'", "value", 3),
        ("'Shanghai'", "value", 1),
    ]
    assert not found.items[2].HasField("people")
    (channel,) = (item for item in complete(shop, "channel in [").items if item.kind == "channel")
    assert (channel.label, channel.people) == ("pos", 1)


def test_completion_offers_names_and_keywords_with_their_places(shop: Quanyu) -> None:
    found = complete(shop, "did ord and city = 'x'", 7)
    assert (getattr(found, "from"), found.to, [item.text for item in found.items]) == (4, 7, ["order"])
    assert [item.label for item in complete(shop, "in segment ").items[:1]] == ["buyers"]
    assert "touch" in [item.label for item in complete(shop, "did ").items]
    assert complete(shop, "城").items[0].text == "城市"
    short = complete(shop, "", limit=5)
    assert (len(short.items), short.more) == (5, True)


def test_formatting_has_an_english_and_a_chinese_form(shop: Quanyu) -> None:
    def formatted(text: str, language: pb.Language = pb.LANGUAGE_UNSPECIFIED) -> pb.FormatRuleResponse:
        request = pb.FormatRuleRequest(workspace=shop.workspace, text=text, language=language)
        return shop.tagging.FormatRule(request, timeout=PATIENCE)

    chinese = formatted("city  in ['x'] and did browse # often", pb.LANGUAGE_ZH).text
    assert chinese == "# often\n城市 属于 ['x'] 且 做过 浏览 任何时候"
    assert formatted(chinese).text == "# often\ncity in ['x'] and did browse ever"
    (wrong,) = formatted("did order in last 30 days").diagnostics
    assert (wrong.reason, wrong.column, "30d" in wrong.suggestions) == ("RULE_SYNTAX", 19, True)


def test_an_explanation_has_sentences_and_a_basis(shop: Quanyu) -> None:
    def explained(text: str, language: pb.Language = pb.LANGUAGE_EN) -> pb.ExplainRuleResponse:
        as_of = pb.AsOf()
        as_of.instant.FromDatetime(NOW)
        request = pb.ExplainRuleRequest(workspace=shop.workspace, text=text, language=language, as_of=as_of)
        return shop.tagging.ExplainRule(request, timeout=PATIENCE)

    text = "last_touch > 30d and city = 'Beijing'"
    found = explained(text)
    assert list(found.sentences) == [
        "the last touch@1 was longer ago than 30d, before 2026-01-30 08:00 (Asia/Shanghai); "
        "touch@1 is order or browse; left out: people without any touch@1.",
        "and city is 'Beijing'; left out: people whose city is unknown.",
    ]
    assert list(found.basis.versions) == ["touch@1"]
    assert found.basis.as_of.ToDatetime() == NOW.replace(tzinfo=None)
    assert [window.text for window in found.basis.windows] == ["last_touch@1 > 30d"]
    assert found.basis.epoch.raw_offset > 0
    assert explained(text, pb.LANGUAGE_ZH).sentences[1] == "并且 城市 是 'Beijing'；不入选：城市 未知的人。"
    assert explained("metric m = count(order in last 7d)").basis.windows[0].text == "in last 7d"
    (wrong,) = explained("did ordr").diagnostics
    assert (wrong.reason, list(wrong.suggestions)) == ("RULE_NAME", ["order"])


CALLS: list[tuple[Callable[[Quanyu], object], str]] = [
    (lambda q: complete(q, "city", 5), "OFFSET_BEYOND_TEXT"),
    (
        lambda q: q.tagging.FormatRule(pb.FormatRuleRequest(workspace=q.workspace, language=7)),  # type: ignore[arg-type]
        "UNKNOWN_LANGUAGE",
    ),
    (
        lambda q: q.tagging.ExplainRule(pb.ExplainRuleRequest(workspace=q.workspace, language=7)),  # type: ignore[arg-type]
        "UNKNOWN_LANGUAGE",
    ),
]


@pytest.mark.parametrize(("call", "why"), CALLS)
def test_an_invalid_request_is_rejected(shop: Quanyu, call: Callable[[Quanyu], object], why: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(shop)
    assert reason(caught.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, why)
