"""Follows events to people, rules and audiences, in one process and in many, and after a restart."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from pyroaring import BitMap64

from quanyu.api.event.v1 import event_pb2
from quanyu.api.identity.v1 import identity_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2
from tests.integration.server_process import Quanyu, running
from tests.integration.shop import batch, identifiers, instant, order
from tests.integration.shop_calls import RULES, as_of, declare, fill, members, people, publish
from tests.waiting import PATIENCE


def test_events_become_people_rules_and_audiences(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    ann, bob, bobs_phone, cid = people(quanyu, offset, "card:ann", "card:bob", "phone:13800000001", "card:cid")
    assert bob == bobs_phone
    assert len({ann, bob, cid, 0}) == 4

    published = publish(quanyu, RULES, offset)
    assert [(rule.name, rule.version) for rule in published] == [
        ("lapsed", 1),
        ("regulars", 1),
        ("coffee_lovers", 1),
        ("spend", 1),
    ]
    assert members(quanyu, "lapsed", offset) == {ann}
    assert members(quanyu, "regulars") == {bob}
    assert members(quanyu, "coffee_lovers") == {bob}

    checked = quanyu.tagging.CheckMembership(
        tagging_pb2.CheckMembershipRequest(
            workspace=quanyu.workspace,
            persons=[cid, bob],
            segments=["regulars@1", "lapsed", "coffee_lovers"],
            as_of=as_of(),
        )
    )
    assert [(m.person, list(m.segments)) for m in checked.memberships] == [
        (cid, []),
        (bob, ["regulars@1", "coffee_lovers@1"]),
    ]

    profile = quanyu.tagging.GetProfile(
        tagging_pb2.GetProfileRequest(workspace=quanyu.workspace, person=ann, as_of=as_of())
    )
    assert (list(profile.channels), dict(profile.tags)) == (["pos"], {"spend": "high"})
    profile = quanyu.tagging.GetProfile(
        tagging_pb2.GetProfileRequest(workspace=quanyu.workspace, person=cid, as_of=as_of())
    )
    assert (profile.attributes["city"].text, dict(profile.tags)) == ("Beijing", {"spend": "none"})


def test_a_preview_counts_clauses_and_returns_its_basis(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    rule = "did order in last 30d and city in ['Beijing']"
    request = tagging_pb2.PreviewRuleRequest(workspace=quanyu.workspace, text=rule, as_of=as_of(offset))
    answer = quanyu.tagging.PreviewRule(request, timeout=PATIENCE)
    (counted,) = answer.sets
    assert (counted.matched, answer.universe) == (0, 3)
    assert [(clause.matched, clause.unknown) for clause in counted.clauses] == [(1, 0), (1, 2)]
    (window,) = answer.basis.windows
    assert (getattr(window, "from"), window.to) == (instant(30), instant(0))
    assert answer.basis.as_of == instant(0)
    assert answer.explanation
    # As of 15 days earlier, later events do not count.
    request.as_of.CopyFrom(as_of(offset, days_ago=15))
    earlier = quanyu.tagging.PreviewRule(request)
    assert [clause.matched for clause in earlier.sets[0].clauses] == [2, 1]


def test_a_known_at_offset_reproduces_an_earlier_answer(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    rule = "did order at least 2 times in last 30d"
    request = tagging_pb2.PreviewRuleRequest(workspace=quanyu.workspace, text=rule, as_of=as_of(offset))
    before = quanyu.tagging.PreviewRule(request, timeout=PATIENCE)
    assert (before.sets[0].matched, before.universe) == (1, 3)
    # Late orders, one of which merges ann and cid.
    late = batch(quanyu.workspace, order("5", "card:ann", 9), order("6", "card:ann+card:cid", 8))
    request.as_of.min_raw_offset = quanyu.ingestion.Ingest(late).raw_offset
    now = quanyu.tagging.PreviewRule(request, timeout=PATIENCE)
    assert (now.sets[0].matched, now.universe) == (2, 2)

    request.as_of.known_at = before.basis.epoch.raw_offset
    again = quanyu.tagging.PreviewRule(request)
    again.basis.milliseconds = before.basis.milliseconds
    assert again == before
    # The same with an instant instead of an offset.
    request.as_of.ClearField("known_at")
    request.as_of.known_before.FromMilliseconds(now.basis.epoch.received_at.ToMilliseconds())
    again = quanyu.tagging.PreviewRule(request)
    assert (again.sets, again.universe) == (before.sets, before.universe)
    request.as_of.known_before.FromMilliseconds(now.basis.epoch.received_at.ToMilliseconds() + 1)
    assert quanyu.tagging.PreviewRule(request).sets == now.sets
    request.as_of.known_at = 1
    with pytest.raises(grpc.RpcError, match="not both"):
        quanyu.tagging.PreviewRule(request)
    request.as_of.ClearField("known_before")

    request.as_of.known_at = now.basis.epoch.raw_offset + 1
    with pytest.raises(grpc.RpcError) as caught:
        quanyu.tagging.PreviewRule(request)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "wait for it" in caught.value.details()
    # No schema was declared at that offset.
    request.as_of.known_at = 0
    (unknown,) = quanyu.tagging.PreviewRule(request).diagnostics
    assert "order" in unknown.message


def test_all_pages_of_a_list_use_the_same_known_at(quanyu: Quanyu) -> None:
    declare(quanyu)
    first = quanyu.ingestion.Ingest(batch(quanyu.workspace, *(order(str(n), f"card:c{n}", 1) for n in range(15))))
    publish(quanyu, "segment buyers: did order ever", first.raw_offset)
    rest = quanyu.ingestion.Ingest(batch(quanyu.workspace, *(order(str(n), f"card:c{n}", 1) for n in range(15, 25))))
    asked = tagging_pb2.AsOf(min_raw_offset=rest.raw_offset, known_at=first.raw_offset)
    request = tagging_pb2.ListMembersRequest(workspace=quanyu.workspace, segment="buyers", page_size=10, as_of=asked)
    page = quanyu.tagging.ListMembers(request, timeout=PATIENCE)
    request.ClearField("as_of")
    request.page_token = page.next_page_token
    last = quanyu.tagging.ListMembers(request)
    assert (len(page.persons), len(last.persons), last.next_page_token) == (10, 5, "")


def test_members_and_rules_are_listed_in_pages(quanyu: Quanyu) -> None:
    declare(quanyu)
    answer = quanyu.ingestion.Ingest(batch(quanyu.workspace, *(order(str(n), f"card:c{n}", 1) for n in range(25))))
    text = "segment buyers: did order ever\nsegment buyers@2: did order at least 1 times in last 30d"
    publish(quanyu, text, answer.raw_offset)

    request = tagging_pb2.ListMembersRequest(workspace=quanyu.workspace, segment="buyers", version=1, page_size=10)
    # Version 1, as of the call.
    pages = []
    as_ofs = set()
    while True:
        page = quanyu.tagging.ListMembers(request, timeout=PATIENCE)
        pages.append(list(page.persons))
        as_ofs.add(page.basis.as_of.ToMilliseconds())
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [person for page in pages for person in page] == sorted(members(quanyu, "buyers"))
    assert len(as_ofs) == 1

    listed = quanyu.tagging.ListRules(tagging_pb2.ListRulesRequest(workspace=quanyu.workspace, page_size=1))
    rest = quanyu.tagging.ListRules(
        tagging_pb2.ListRulesRequest(workspace=quanyu.workspace, page_size=9, page_token=listed.next_page_token)
    )
    assert [(rule.name, rule.version) for rule in [*listed.rules, *rest.rules]] == [("buyers", 1), ("buyers", 2)]
    assert rest.next_page_token == ""


def test_publishing_is_atomic_and_idempotent(quanyu: Quanyu) -> None:
    offset = declare(quanyu)
    first = publish(quanyu, "segment buyers: did order ever", offset)
    assert publish(quanyu, "segment buyers: did order ever", offset) == first
    with pytest.raises(grpc.RpcError) as caught:
        publish(quanyu, "segment new_one: did order ever\nsegment buyers: did order in last 30d", offset)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "buyers@2" in caught.value.details()
    listed = quanyu.tagging.ListRules(tagging_pb2.ListRulesRequest(workspace=quanyu.workspace))
    assert list(listed.rules) == first
    found = quanyu.tagging.GetRule(tagging_pb2.GetRuleRequest(workspace=quanyu.workspace, name="buyers"))
    assert found.rule == first[0]
    assert found.explanation


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_restart_keeps_events_people_and_rules(
    groups: list[tuple[str, ...]], tmp_path: Path, number: signal.Signals
) -> None:
    with running(tmp_path / "data", groups) as quanyu:
        offset = fill(quanyu)
        publish(quanyu, RULES, offset)
        before = (people(quanyu, offset, "card:ann", "card:bob"), members(quanyu, "regulars", offset))

        quanyu.restart(number)

        assert (people(quanyu, offset, "card:ann", "card:bob"), members(quanyu, "regulars", offset)) == before
        more = batch(quanyu.workspace, order("4", "card:bob+phone:13800000001", 5), order("5", "card:ann", 1))
        again = quanyu.ingestion.Ingest(more)
        assert (again.accepted, again.duplicates) == (1, 1)
        assert members(quanyu, "lapsed", again.raw_offset) == set()


def test_an_ingest_stream_is_answered_in_order(quanyu: Quanyu) -> None:
    declare(quanyu)

    def batches() -> Iterator[ingestion_pb2.IngestRequest]:
        for sequence in range(20):
            yield batch(
                quanyu.workspace, order(f"s{sequence}", "card:ann", 1), order("same", "card:ann", 2), sequence=sequence
            )

    answers = list(quanyu.ingestion.IngestStream(batches(), timeout=PATIENCE))
    assert [answer.sequence for answer in answers] == list(range(20))
    assert sum(answer.accepted for answer in answers) == 21
    assert sum(answer.duplicates for answer in answers) == 19
    assert [answer.raw_offset for answer in answers] == sorted(answer.raw_offset for answer in answers)


def test_explain_returns_the_path_between_two_identifiers(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    bob, other = people(quanyu, offset, "card:bob", "card:ann")
    one, two = identifiers("card:bob+phone:13800000001")
    explained = quanyu.identity.Explain(
        identity_pb2.ExplainRequest(workspace=quanyu.workspace, to=two, **{"from": one})
    )
    assert explained.same_person
    assert [edge.record_id for edge in explained.path] == ["4"]
    person = quanyu.identity.GetPerson(identity_pb2.GetPersonRequest(workspace=quanyu.workspace, person=bob)).person
    assert {linked.identifier.namespace for linked in person.identifiers} == {"card", "phone"}
    chunks = quanyu.identity.ListIdentifiers(
        identity_pb2.ListIdentifiersRequest(
            workspace=quanyu.workspace, persons=BitMap64([bob, other]).serialize(), namespace="phone"
        )
    )
    assert [list(chunk.persons) for chunk in chunks] == [[bob]]


def test_a_timeline_lists_the_newest_events_first(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    (bob,) = people(quanyu, offset, "card:bob")
    members_known = tagging_pb2.PreviewRuleRequest(
        workspace=quanyu.workspace, text="did order ever", as_of=as_of(offset)
    )
    quanyu.tagging.PreviewRule(members_known, timeout=PATIENCE)
    request = tagging_pb2.ListTimelineRequest(workspace=quanyu.workspace, person=bob, page_size=2)
    first = quanyu.tagging.ListTimeline(request)
    request.page_token = first.next_page_token
    rest = quanyu.tagging.ListTimeline(request)
    found = [*first.events, *rest.events]
    assert [event.occurred_at for event in found] == [instant(5), instant(10), instant(20)]
    assert rest.next_page_token == ""


def test_rejected_records_are_listed_with_their_reasons(quanyu: Quanyu) -> None:
    declare(quanyu)
    wrong = [event_pb2.Record(event=event_pb2.Event(source="t", id=str(n), type="nonsense")) for n in range(5)]
    answer = quanyu.ingestion.Ingest(batch(quanyu.workspace, *wrong, order("1", "card:ann", 1)))
    assert (answer.accepted, len(answer.rejects)) == (1, 5)
    request = ingestion_pb2.ListDeadLettersRequest(workspace=quanyu.workspace, page_size=3)
    letters = []
    while True:
        page = quanyu.ingestion.ListDeadLetters(request)
        letters += page.dead_letters
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert [letter.record for letter in letters] == wrong
    assert [letter.reject for letter in letters] == list(answer.rejects)


def test_the_catalog_lists_the_names_that_rules_can_use(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    quanyu.tagging.PreviewRule(
        tagging_pb2.PreviewRuleRequest(workspace=quanyu.workspace, text="did order ever", as_of=as_of(offset)),
        timeout=PATIENCE,
    )
    catalog = quanyu.tagging.GetCatalog(tagging_pb2.GetCatalogRequest(workspace=quanyu.workspace))
    assert list(catalog.channels) == ["pos"]
    assert [list(field.values) for field in catalog.schema.attributes] == [["Beijing"]]
    assert catalog.epoch.raw_offset >= offset
