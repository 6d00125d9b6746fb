"""Explains the membership of people by calls to a running server."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.server_process import Quanyu, reason
from tests.integration.shop import NOW, batch, lives_in, order
from tests.integration.shop_calls import RULES, as_of, fill, people, publish
from tests.waiting import PATIENCE


def why(
    quanyu: Quanyu, person: int, asked: tagging_pb2.AsOf, *, segment: str = "", text: str = ""
) -> tagging_pb2.ExplainMembershipResponse:
    request = tagging_pb2.ExplainMembershipRequest(
        workspace=quanyu.workspace, person=person, segment=segment, text=text, as_of=asked
    )
    return quanyu.tagging.ExplainMembership(request, timeout=PATIENCE)


def moment(days_from_now: float, milliseconds: int = 0) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(NOW + timedelta(days=days_from_now, milliseconds=milliseconds))
    return made


def test_a_published_segment_is_explained_with_events_and_the_next_change(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    ann, bob = people(quanyu, offset, "card:ann", "card:bob")
    publish(quanyu, RULES, offset)
    found = why(quanyu, bob, as_of(offset), segment="regulars")
    assert found.verdict == tagging_pb2.VERDICT_TRUE
    (clause,) = found.clauses
    assert clause.text == "did order at least 2 times in last 30d"
    # The card and the phone belong to one person, so events of the phone count too.
    days = [(moment(0).seconds - witness.event.occurred_at.seconds) / 86_400 for witness in clause.witnesses]
    assert days == [5, 10, 20]
    assert (found.flip.at, found.flip.verdict) == (moment(20, 1), tagging_pb2.VERDICT_FALSE)
    assert found.basis.as_of == moment(0)
    assert list(found.basis.versions) == ["regulars@1"]
    assert [(getattr(w, "from"), w.to) for w in found.basis.windows] == [(moment(-30), moment(0))]
    # The first version has the same explanation.
    again = why(quanyu, bob, as_of(), segment="regulars@1")
    again.basis.milliseconds = found.basis.milliseconds
    assert again == found
    lapsed = why(quanyu, ann, as_of(), segment="lapsed")
    assert lapsed.clauses[0].witnesses[0].recency.instant == moment(-40)
    assert not lapsed.flip.HasField("at")
    assert lapsed.flip.looked_until == moment(400)


def test_an_unpublished_text_is_explained_with_places(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    (cid,) = people(quanyu, offset, "card:cid")
    text = "segment here: city = 'Beijing'\n  and not (did order)"
    found = why(quanyu, cid, as_of(offset), text=text)
    assert [(c.text, c.line, c.column, c.verdict) for c in found.clauses] == [
        ("city = 'Beijing'", 1, 15, tagging_pb2.VERDICT_TRUE),
        ("not (did order ever)", 2, 7, tagging_pb2.VERDICT_TRUE),
    ]
    fact = found.clauses[0].witnesses[0].attribute
    assert (fact.name, fact.value.text) == ("city", "Beijing")


def test_an_explanation_uses_a_past_as_of_and_known_at(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    ann, bob = people(quanyu, offset, "card:ann", "card:bob")
    text = "did order at least 2 times in last 30d"
    earlier = why(quanyu, bob, as_of(offset, days_ago=8), text=text)
    assert [witness.event.occurred_at for witness in earlier.clauses[0].witnesses] == [moment(-10), moment(-20)]
    late = quanyu.ingestion.Ingest(batch(quanyu.workspace, order("late", "card:ann", 2), lives_in("card:ann", "上海")))
    now = why(quanyu, ann, as_of(late.raw_offset), text="did order in last 30d")
    assert now.verdict == tagging_pb2.VERDICT_TRUE
    then = as_of()
    then.known_at = offset
    before = why(quanyu, ann, then, text="did order in last 30d")
    assert (before.verdict, len(before.clauses[0].witnesses)) == (tagging_pb2.VERDICT_FALSE, 0)
    assert before.basis.epoch.raw_offset == offset
    # Nobody was known before the first record arrived.
    then.known_at = 1
    with pytest.raises(grpc.RpcError) as refused:
        why(quanyu, ann, then, text="did order")
    assert reason(refused.value)[:2] == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_PERSON")


def test_an_invalid_request_is_rejected(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    (ann,) = people(quanyu, offset, "card:ann")
    publish(quanyu, RULES, offset)
    invalid, missing = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
    live = tagging_pb2.AsOf(live=True)
    for person, asked, rule, code, why_not in [
        (ann, as_of(), {"text": "did ordr"}, invalid, "RULE_NAME"),
        (ann, as_of(), {"text": "did order 3 times"}, invalid, "RULE_SYNTAX"),
        (ann, as_of(), {"text": "segment a: did order segment b: did order"}, invalid, "RULE_NOT_ONE_SEGMENT"),
        (ann, as_of(), {}, invalid, "SEGMENT_OR_TEXT"),
        (ann, as_of(), {"text": "did order", "segment": "lapsed"}, invalid, "SEGMENT_OR_TEXT"),
        (ann, live, {"segment": "lapsed"}, invalid, "LIVE_AS_OF"),
        (ann, as_of(), {"segment": "lapsd"}, missing, "UNKNOWN_RULE"),
        (ann, as_of(), {"segment": "lapsed@x"}, invalid, "RULE_REFERENCE"),
        (ann, as_of(), {"segment": "spend"}, invalid, "RULE_KIND"),
        (12345, as_of(), {"segment": "lapsed"}, missing, "UNKNOWN_PERSON"),
    ]:
        with pytest.raises(grpc.RpcError) as refused:
            why(quanyu, person, asked, **rule)
        assert reason(refused.value)[:2] == (code, why_not), rule
    with pytest.raises(grpc.RpcError) as refused:
        why(quanyu, ann, as_of(), text="did order and\n did ordr")
    assert reason(refused.value)[2]["line"] == "2"
