"""Comparisons of two versions of a rule."""

from __future__ import annotations

import pytest

from quanyu.tagging.preview.comparison import RuleChange, VersionPair, compare_versions
from tests.unit.tagging.sample_workspace import DAY_MS, NOW_MS, PopulatedShop


@pytest.fixture(scope="module")
def shop() -> PopulatedShop:
    return PopulatedShop(
        "segment s: city = 'Beijing' and did order ever",
        "segment s@2: did order ever and count(order) = 1",
        "tag t: 'a' when city = 'Beijing'; else 'b'",
        "tag t@2: 'c' when did order ever; 'a' when city = 'Beijing'",
        "metric m = count(order)",
        "metric m@2 = count(order in last 7d)",
        "segment early: was in segment s on 2027-01-10",
        "segment early@2: did order ever",
    )


def compare(shop: PopulatedShop, *pairs: VersionPair, as_of_ms: int = NOW_MS) -> list[RuleChange]:
    return compare_versions(shop.evaluation(as_of_ms), shop.index, pairs).changes


def test_a_segment_counts_who_enters_leaves_and_stays(shop: PopulatedShop) -> None:
    (change,) = compare(shop, VersionPair("s", 1, 2))
    (found,) = change.comparisons
    assert (found.name, found.version, found.entering, found.leaving, found.staying) == ("s", 1, 1, 1, 0)
    assert shop.names_of(found.entering_sample) == {"bob"}
    assert shop.names_of(found.leaving_sample) == {"ann"}


def test_a_sample_names_the_clause_that_excludes_each_person(shop: PopulatedShop) -> None:
    (found,) = compare(shop, VersionPair("s", 1, 2))[0].comparisons
    assert found.entering_clauses == ["city = 'Beijing'"]
    assert found.leaving_clauses == ["count(order) = 1"]


def test_a_tag_is_compared_value_by_value_new_values_first(shop: PopulatedShop) -> None:
    (change,) = compare(shop, VersionPair("t", 1, 2))
    moves = {found.name: (found.entering, found.leaving, found.staying) for found in change.comparisons}
    assert list(moves) == ["t: c", "t: a", "t: b"]
    assert moves == {"t: c": (2, 0, 0), "t: a": (0, 1, 1), "t: b": (0, 1, 0)}
    assert all(found.entering_clauses == [""] * found.entering for found in change.comparisons)


def test_a_metric_is_compared_in_words_only(shop: PopulatedShop) -> None:
    (change,) = compare(shop, VersionPair("m", 1, 2))
    assert (change.kind, change.comparisons, change.error) == ("metric", [], "")
    assert len(change.differences) == 1


def test_members_that_cannot_be_computed_leave_an_error_and_the_other_rules(shop: PopulatedShop) -> None:
    early = NOW_MS - 30 * DAY_MS
    broken, other = compare(shop, VersionPair("early", 1, 2), VersionPair("s", 1, 2), as_of_ms=early)
    assert (broken.comparisons, "this day is still to come" in broken.error) == ([], True)
    assert broken.differences != []
    assert [found.name for found in other.comparisons] == ["s"]


def test_a_rule_does_not_differ_from_itself(shop: PopulatedShop) -> None:
    (change,) = compare(shop, VersionPair("s", 2, 2))
    assert change.differences == []
    assert (change.comparisons[0].entering, change.comparisons[0].leaving) == (0, 0)
