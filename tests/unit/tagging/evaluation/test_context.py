"""Evaluation contexts: rules bound, compiled and evaluated against one version of a workspace."""

from __future__ import annotations

import pytest

from quanyu.dsl import RuleError
from quanyu.runtime.errors import InvalidInput, NotFound
from tests.unit.tagging.sample_workspace import DAY_MS, NOW_MS, PopulatedShop

RULES = (
    "define visit = order",
    "metric spend = sum(order.amount in last 90d)",
    "segment buyers: did order in last 30d",
    "segment big: spend >= 50",
    "tag level: 'big' when in segment big; else 'small'",
    "segment buyers@3: city = 'Beijing'",
)


@pytest.fixture(scope="module")
def shop() -> PopulatedShop:
    return PopulatedShop(*RULES)


def test_version_0_resolves_to_the_newest(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation()
    assert [evaluation.resolve_version("buyers", version) for version in (0, 1, 3)] == [3, 1, 3]


@pytest.mark.parametrize(("name", "version"), [("buyers", 2), ("nothing", 0), ("", 1), ("", 0)])
def test_an_unpublished_version_is_not_found(shop: PopulatedShop, name: str, version: int) -> None:
    with pytest.raises(NotFound) as caught:
        shop.evaluation().resolve_version(name, version)
    assert caught.value.reason == "UNKNOWN_RULE"


def test_a_misspelt_name_suggests_a_published_one(shop: PopulatedShop) -> None:
    with pytest.raises(NotFound, match="no rule buyer is published; did you mean buyers"):
        shop.evaluation().resolve_version("buyer", 0)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("visit", "visit@1 is a definition; this call needs a segment"),
        ("spend", "spend@1 is a metric; this call needs a segment"),
        ("level", "level@1 is a tag; this call needs a segment"),
        ("other", "other@1 is not published; this call needs a segment"),
    ],
)
def test_only_a_segment_compiles_as_a_segment(shop: PopulatedShop, name: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        shop.evaluation().compile_segment(name, 1)
    assert (caught.value.reason, caught.value.metadata["rule"]) == ("RULE_KIND", name)


def test_segments_and_tags_have_members_and_other_rules_have_none(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation()
    compiled = {name: evaluation.compile_segment_or_tag(name, 1) for name in ("visit", "spend", "big", "level")}
    assert [name for name, rule in compiled.items() if rule is not None] == ["big", "level"]
    assert compiled["level"] is not None
    assert compiled["level"].values == ("big", "small")


def test_find_returns_members_root_by_root(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation()
    rules = [evaluation.compile_segment("buyers", 1), evaluation.compile_tag("level", 1)]
    answer = evaluation.find(shop.index, rules)
    members = [shop.names_of(answer.page(root, 0, 10)) for root in range(3)]
    assert members == [{"ann", "bob"}, {"ann"}, {"bob", "cid"}]


def test_an_evaluation_is_as_of_the_instant_of_its_clock(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation(NOW_MS - 35 * DAY_MS)
    answer = evaluation.find(shop.index, [evaluation.compile_segment("buyers", 1)])
    assert shop.names_of(answer.page(0, 0, 10)) == {"ann"}


def test_count_also_counts_unknowns_and_clauses(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation()
    bound = evaluation.bind("segment s: max(order.amount) > 10 and city = 'Beijing'")
    drafted = evaluation.with_draft(bound)
    answer = drafted.count(shop.index, drafted.compile_segments_and_tags(bound))
    assert answer.counts(0) == (1, 1)
    assert [tuple(count) for count in answer.clauses(0)] == [(1, 1), (2, 0)]


def test_verdicts_are_by_root_and_person(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation()
    bound = evaluation.bind("segment s: max(order.amount) > 10")
    drafted = evaluation.with_draft(bound)
    (compiled,) = drafted.compile_segments_and_tags(bound)
    persons = [shop.persons[name] for name in ("ann", "bob", "cid")]
    assert drafted.verdicts(shop.index, compiled.roots, persons) == [[True, False, None]]


def test_a_draft_cannot_redefine_a_published_version(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation()
    with pytest.raises(InvalidInput):
        evaluation.with_draft(evaluation.bind("segment buyers@1: city = 'Harbin'"))


def test_a_draft_leaves_the_context_unchanged(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation()
    drafted = evaluation.with_draft(evaluation.bind("segment fresh: did order"))
    assert drafted.library.newest("fresh") == 1
    assert evaluation.library.newest("fresh") == 0


def test_the_engine_rejects_a_rule_with_a_reason(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation()
    bound = evaluation.bind("segment odd: city matches '('")
    drafted = evaluation.with_draft(bound)
    with pytest.raises(InvalidInput, match="the rule cannot be evaluated: ") as caught:
        drafted.find(shop.index, drafted.compile_segments_and_tags(bound))
    assert caught.value.reason == "RULE_NOT_COUNTABLE"


def test_explanations_and_warnings_are_about_text_or_published_rule(shop: PopulatedShop) -> None:
    evaluation = shop.evaluation()
    (sentence,) = evaluation.explain_rule("big", 1)
    assert "spend@1" in sentence
    assert evaluation.explain_rule("big", 2) == []
    assert evaluation.explain_text("segment big@2: spend >= 50") != []
    assert [finding.line for finding in evaluation.lint("city = 'Beijing' and city = 'Harbin'")] == [1]
    for method in (evaluation.explain_text, evaluation.lint):
        with pytest.raises(RuleError):
            method("city =")


def test_a_live_plan_is_valid_until_its_calendar_windows_move() -> None:
    shop = PopulatedShop("segment weekly: did order in this week", "segment recent: did order in last 7d")
    _, calendar_ms = shop.evaluation().compile_live_segment("weekly", 1)
    _, elapsed_ms = shop.evaluation().compile_live_segment("recent", 1)
    assert calendar_ms is not None
    assert 0 < calendar_ms <= 7 * DAY_MS
    assert elapsed_ms is None
