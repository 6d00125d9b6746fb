"""Previews of drafts."""

from __future__ import annotations

import pytest

from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.preview.preview import Preview, preview_draft
from tests.unit.tagging.sample_workspace import DAY_MS, NOW_MS, PopulatedShop


@pytest.fixture(scope="module")
def shop() -> PopulatedShop:
    return PopulatedShop(
        "segment locals: city = 'Beijing'",
        "tag rhythm: 'often' when count(order) >= 2; else 'rare'",
        "segment past: was in segment locals on 2027-01-10",
    )


def preview(shop: PopulatedShop, text: str, as_of_ms: int = NOW_MS, is_whole: bool = True, sample: int = 0) -> Preview:
    evaluation = shop.evaluation(as_of_ms)
    return preview_draft(evaluation, shop.index, evaluation.bind(text), is_whole=is_whole, sample_size=sample)


def test_joined_clauses_have_the_number_of_remaining_people(shop: PopulatedShop) -> None:
    (counted,) = preview(shop, "city = 'Beijing' and did order ever").counts
    assert (counted.matched, counted.unknown) == (1, 0)
    assert [(clause.matched, clause.remaining) for clause in counted.clauses] == [(2, 2), (2, 1)]


def test_alternatives_have_no_remaining_people(shop: PopulatedShop) -> None:
    (counted,) = preview(shop, "city = 'Harbin' or did order ever").counts
    assert [(clause.matched, clause.remaining) for clause in counted.clauses] == [(1, None), (2, None)]


def test_clauses_have_their_place_in_the_text(shop: PopulatedShop) -> None:
    (counted,) = preview(shop, "segment s: city = 'Beijing'\n  and did order ever").counts
    assert [(clause.line, clause.column) for clause in counted.clauses] == [(1, 12), (2, 7)]


def test_a_tag_is_counted_tier_by_tier(shop: PopulatedShop) -> None:
    found = preview(shop, "tag rhythm@2: 'often' when count(order) >= 2; 'once' when count(order) = 1; else 'never'")
    assert [(counted.name, counted.matched, len(counted.clauses)) for counted in found.counts] == [
        ("rhythm@2: often", 1, 1),
        ("rhythm@2: once", 1, 1),
        ("rhythm@2: never", 1, 1),
    ]


def test_a_draft_is_compared_with_the_published_version(shop: PopulatedShop) -> None:
    (compared,) = preview(shop, "segment locals@2: city = 'Harbin'").comparisons
    assert (compared.version, compared.entering, compared.leaving) == (1, 1, 2)
    assert preview(shop, "segment fresh: city = 'Harbin'").comparisons == []
    assert preview(shop, "city = 'Harbin'").comparisons == []


def test_an_incomplete_text_is_not_compared(shop: PopulatedShop) -> None:
    assert preview(shop, "segment locals@2: city = 'Harbin'", is_whole=False).comparisons == []


def test_a_published_version_that_cannot_be_compiled_adds_a_note(shop: PopulatedShop) -> None:
    found = preview(shop, "segment past@2: city = 'Harbin'", as_of_ms=NOW_MS - 30 * DAY_MS)
    assert found.comparisons == []
    (note,) = found.notes
    assert note.startswith("there is no comparison with the published past@1: ")


def test_a_sample_shows_members_of_the_set(shop: PopulatedShop) -> None:
    (counted,) = preview(shop, "did order ever", sample=5).counts
    assert shop.names_of([person for person, _ in counted.sample]) == {"ann", "bob"}
    assert preview(shop, "did order ever", sample=1).counts[0].sample[0] in counted.sample


@pytest.mark.parametrize("text", ["define d = order", "metric m = count(order)"])
def test_a_text_without_a_set_is_rejected(shop: PopulatedShop, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        preview(shop, text)
    assert caught.value.reason == "RULE_NOT_A_SET"
