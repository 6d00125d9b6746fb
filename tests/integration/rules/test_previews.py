"""Previews incomplete texts, with funnels, samples and the impact of publishing."""

from __future__ import annotations

from quanyu.api.event.v1 import event_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.api.tagging.v1 import tagging_pb2 as pb
from tests.integration.server_process import Quanyu
from tests.integration.shop import lives_in, order
from tests.integration.shop_calls import as_of, declare, people, publish, send, wait_for_rules
from tests.waiting import PATIENCE

WHOLE = "segment buyers@2:\n  did order in last 30d\n  and city = 'Beijing'"


def preview(quanyu: Quanyu, text: str, **fields: object) -> pb.PreviewRuleResponse:
    request = pb.PreviewRuleRequest(workspace=quanyu.workspace, text=text, as_of=as_of(), **fields)  # type: ignore[arg-type]
    answer: pb.PreviewRuleResponse = quanyu.tagging.PreviewRule(request, timeout=PATIENCE)
    return answer


def fill(quanyu: Quanyu) -> int:
    """Ingests recent orders of ann and bob and an old one of cid; ann and cid live in Beijing."""
    declare(quanyu)
    unpriced = order("4", "card:bob", 4)
    unpriced.event.properties.clear()
    offset = send(
        quanyu,
        order("1", "card:ann", 5, "30"),
        order("2", "card:bob", 6),
        order("3", "card:cid", 60),
        unpriced,
        lives_in("card:ann", "Beijing"),
        lives_in("card:cid", "Beijing"),
        lives_in("card:bob", "Shanghai"),
    )
    return wait_for_rules(quanyu, offset)


def test_a_preview_shows_the_funnel_and_the_impact(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    ann, bob, cid = people(quanyu, offset, "card:ann", "card:bob", "card:cid")
    publish(quanyu, "segment buyers: did order", offset)
    found = preview(quanyu, WHOLE, revision="7", sample=2)
    assert (found.revision, list(found.diagnostics), found.universe) == ("7", [], 3)
    (counted,) = found.sets
    assert (counted.name, counted.matched, [shown.person for shown in counted.sample]) == ("buyers@2", 1, [ann])
    assert [(fact.name, fact.value) for fact in counted.sample[0].facts] == [("city", "'Beijing'")]
    assert [(c.text, c.line, c.column, c.matched, c.remaining) for c in counted.clauses] == [
        ("did order in last 30d", 2, 3, 2, 2),
        ("city = 'Beijing'", 3, 7, 2, 1),
    ]
    (moved,) = found.comparisons
    assert (moved.name, moved.version, moved.entering, moved.leaving, moved.staying) == ("buyers", 1, 0, 2, 1)
    assert {*moved.leaving_sample} == {bob, cid}
    either = preview(quanyu, "did order in last 30d or city = 'Beijing'").sets[0]
    assert [clause.HasField("remaining") for clause in either.clauses] == [False, False]
    spent = preview(quanyu, "sum(order.amount) > 20 and last_order < 30d", sample=100).sets[0].sample[0]
    assert {fact.name: fact.value for fact in spent.facts} == {"sum(order.amount)": "30", "last_order": "5d 0h"}


def test_an_incomplete_text_is_counted_up_to_its_error(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    publish(quanyu, "segment buyers: did order", offset)
    found = preview(quanyu, WHOLE + "\n  and ctiy = 'Beijing'", revision="8")
    assert found.revision == "8"
    (wrong,) = found.diagnostics
    assert (wrong.line, wrong.column, wrong.reason, list(wrong.suggestions)) == (4, 7, "RULE_NAME", ["city"])
    (counted,) = found.sets
    assert counted.matched == 1
    assert [(c.text, c.left_out, c.line) for c in counted.clauses] == [
        ("did order in last 30d", False, 2),
        ("city = 'Beijing'", False, 3),
        ("ctiy = 'Beijing'", True, 4),
    ]
    assert not found.comparisons
    nothing = preview(quanyu, "ctiy = 'Beijing'", revision="9")
    assert (nothing.revision, len(nothing.diagnostics), len(nothing.sets)) == ("9", 1, 0)


def test_a_tag_is_compared_by_value(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    publish(quanyu, "tag visits: 'two' when count(order) >= 2; 'one' when count(order) = 1", offset)
    found = preview(quanyu, "tag visits@2: 'two' when count(order) >= 3; else 'few'")
    assert [(c.name, c.version, c.entering, c.leaving, c.staying) for c in found.comparisons] == [
        ("visits: two", 1, 0, 1, 0),
        ("visits: few", 1, 3, 0, 0),
        ("visits: one", 1, 0, 2, 0),
    ]
    assert [counted.matched for counted in found.sets] == [0, 3]


def test_unknown_amounts_are_noted(quanyu: Quanyu) -> None:
    fill(quanyu)
    (note,) = preview(quanyu, "sum(order.amount in last 30d) < 20").notes
    assert note.startswith(
        "1 person has events without a known amount, which add nothing to sum(order.amount in last 30d)"
    )
    assert not preview(quanyu, "count(order.amount) < 20").notes


def test_a_published_version_may_be_invalid_at_an_earlier_known_at(quanyu: Quanyu) -> None:
    declared = declare(quanyu)
    age = event_pb2.Schema(attributes=[event_pb2.Field(name="age", type=event_pb2.TYPE_NUMBER)])
    offset = quanyu.ingestion.PutSchema(
        ingestion_pb2.PutSchemaRequest(workspace=quanyu.workspace, schema=age)
    ).raw_offset
    publish(quanyu, "segment old: age > 60", offset)
    as_of_then = pb.AsOf(known_at=declared)
    request = pb.PreviewRuleRequest(workspace=quanyu.workspace, text="segment old@2: did order", as_of=as_of_then)
    found = quanyu.tagging.PreviewRule(request, timeout=PATIENCE)
    assert (len(found.sets), len(found.comparisons)) == (1, 0)
    (note,) = found.notes
    assert note.startswith("there is no comparison with the published old@1: ")


def test_overlap_counts_each_combination_of_sets(quanyu: Quanyu) -> None:
    offset = fill(quanyu)
    publish(quanyu, "segment buyers: did order in last 30d", offset)
    conditions = ["in segment buyers", "city = 'Beijing'", "did order where (amount > 20) ever"]
    request = pb.DescribeOverlapRequest(workspace=quanyu.workspace, conditions=conditions, as_of=as_of())
    found = quanyu.tagging.DescribeOverlap(request, timeout=PATIENCE)
    assert [(one.name, one.matched) for one in found.sets] == list(zip(conditions, (2, 2, 1), strict=True))
    assert sorted((list(pattern.sets), pattern.people) for pattern in found.patterns) == [
        ([0], 1),
        ([0, 1, 2], 1),
        ([1], 1),
    ]
    assert (found.outside, found.universe, list(found.basis.versions)) == (0, 3, ["buyers@1"])
