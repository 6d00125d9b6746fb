"""Previews, comparisons and overlaps as messages."""

from __future__ import annotations

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.tagging.preview.comparison import VersionPair, compare_versions
from quanyu.tagging.preview.impact import describe_impact
from quanyu.tagging.preview.messages import change_message, impact_message, overlap_message, preview_message
from quanyu.tagging.preview.overlap import count_overlap
from quanyu.tagging.preview.preview import preview_draft
from tests.unit.tagging.sample_workspace import NOW_MS, PopulatedShop


def test_a_preview_sorts_omitted_clauses_among_the_counted_ones() -> None:
    shop = PopulatedShop()
    evaluation = shop.evaluation()
    recovery = evaluation.recover("citi = 'a' and city = 'Beijing' and ordr > 3")
    assert recovery.bound is not None
    preview = preview_draft(evaluation, shop.index, recovery.bound, is_whole=False)
    message = preview_message(preview, recovery.omitted, NOW_MS)
    (counted,) = message.sets
    assert [(clause.left_out, clause.matched) for clause in counted.clauses] == [(True, 0), (False, 2), (True, 0)]
    assert (message.universe, message.basis.as_of.ToMilliseconds()) == (3, NOW_MS)


def test_a_change_keeps_kind_versions_and_people() -> None:
    shop = PopulatedShop("segment s: city = 'Beijing'", "segment s@2: city = 'Harbin'")
    (change,) = compare_versions(shop.evaluation(), shop.index, [VersionPair("s", 1, 2)]).changes
    message = change_message(change)
    assert (message.kind, message.from_version, message.to_version) == (pb.Rule.KIND_SEGMENT, 1, 2)
    (moved,) = message.comparisons
    assert (moved.entering, moved.leaving, moved.staying) == (1, 2, 0)
    assert shop.names_of(list(moved.entering_sample)) == {"bob"}
    assert shop.names_of(list(moved.leaving_sample)) == {"ann", "cid"}
    assert list(message.differences) == change.differences != []


def test_an_impact_keeps_changes_and_dependents_apart() -> None:
    shop = PopulatedShop("segment s: city = 'Beijing'", "segment user: in segment s")
    evaluation = shop.evaluation()
    impact = describe_impact(evaluation, shop.index, evaluation.bind("segment s@2: did order ever"))
    message = impact_message(impact, NOW_MS)
    assert [change.name for change in message.changed] == ["s"]
    assert [change.name for change in message.dependents] == ["user"]
    assert message.left_out == 0


def test_an_overlap_keeps_places_of_sets() -> None:
    shop = PopulatedShop()
    overlap = count_overlap(shop.evaluation(), shop.index, ["city = 'Beijing'", "max(order.amount) > 10"])
    message = overlap_message(overlap, NOW_MS)
    assert [(one.matched, one.unknown) for one in message.sets] == [(2, 0), (1, 1)]
    assert {tuple(one.sets): one.people for one in message.patterns} == {(0, 1): 1, (0,): 1}
    assert (message.outside, message.universe) == (1, 3)
