"""Incomplete texts: correct clauses are kept, and each other clause is an error at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Recovery, RuleError, check_and_bind, format_rule, recover
from tests.seed import examples
from tests.unit.dsl.world import CATALOG, LIBRARY

GOOD = [
    "points > 3",
    "city in ['a', 'b and c']",
    "did order where (amount > 5 and paid = true) in last 30d",
    "points between 3 and 5",
    "not (points > 3 or city = 'x')",
    "did order between 2026-01-01 and 2026-01-31",
    "城市 属于 ['上海']",
]
WRONG = [
    "pionts > 3",
    "did order 3 times",
    "points >",
    "city = 'open",
    "in last 30 days",
    "points > 'x'",
    "did order in",
]
HEADS = ["", "segment s: ", "segment s@2 among buyers:\n  "]


def recovered(text: str) -> Recovery:
    return recover(text, CATALOG, LIBRARY)


@examples(150)
@given(
    st.sampled_from(HEADS),
    st.lists(st.tuples(st.sampled_from(GOOD), st.booleans(), st.sampled_from(WRONG)), min_size=2, max_size=5),
    st.sampled_from([" and ", "\nand ", " 且 "]),
)
def test_correct_clauses_are_kept_and_wrong_ones_are_errors(
    head: str, parts: list[tuple[str, bool, str]], connective: str
) -> None:
    clauses = [good if is_good else wrong for good, is_good, wrong in parts]
    # An open quote contains the rest of its line, so that clause must be the last one.
    clauses = [clause for n, clause in enumerate(clauses) if clause != "city = 'open" or n == len(clauses) - 1]
    text = head + connective.join(clauses)
    good = [clause for clause in clauses if clause in GOOD]
    wrong = [clause for clause in clauses if clause not in GOOD]
    found = recovered(text)
    assert (found.errors == ()) == (wrong == [])
    if not good:
        assert found.bound is None
        return
    alone = check_and_bind(head + connective.join(good), CATALOG, LIBRARY)
    assert found.bound is not None
    assert (found.bound.script, found.bound.condition) == (alone.script, alone.condition)
    assert found.bound.versions == alone.versions
    assert [clause.text for clause in found.omitted] == wrong
    for clause in found.omitted:
        assert text.split("\n")[clause.line - 1][clause.column - 1 :].startswith(clause.text)


def test_errors_and_omitted_clauses_have_places_in_the_whole_text() -> None:
    text = "segment s:\n  points > 3\n  and pionts > 4\n  and did ordr in last 7d"
    found = recovered(text)
    assert [(error.line, error.column) for error in found.errors] == [(3, 7), (4, 11)]
    assert found.errors[0].suggestions == ("points",)
    assert "  and pionts > 4\n" in str(found.errors[0])
    assert [(clause.text, clause.line, clause.column) for clause in found.omitted] == [
        ("pionts > 4", 3, 7),
        ("did ordr in last 7d", 4, 7),
    ]
    assert found.bound is not None
    assert format_rule(found.bound.statements[0]) == "segment s@1: points > 3"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("points > 3 and ", "points > 3"),
        ("points > 3 or or city = 'x'", "points > 3 or city = 'x'"),
        ("points > 3 and (city = 'x' or ", "points > 3"),
        ("points > 3 and sample 10%", "points > 3"),
    ],
)
def test_an_incomplete_last_clause_is_omitted(text: str, kept: str) -> None:
    found = recovered(text)
    assert found.errors
    assert found.bound is not None
    assert found.bound.condition == check_and_bind(kept, CATALOG, LIBRARY).condition


@pytest.mark.parametrize(
    "text",
    [
        "points > 3 and city = 'x' or points < 1",
        "pionts > 3",
        "tag t: 'a' when pionts > 3; 'b' when points > 3",
        "segment a: points > 3\nsegment b: pionts > 3",
        "segment buyers: points > 3 and city = 'x'",
        "segment s among byers: points > 3 and city = 'x'",
        "segment",
        "segment s points > 3",
        ")",
        "&",
        "points > 3 and " * 200,
        "points > 3 and pionts > 4 and " + "city = 'x' and " * 10_000,
    ],
)
def test_other_texts_with_an_error_are_rejected_as_a_whole(text: str) -> None:
    with pytest.raises(RuleError) as whole:
        check_and_bind(text, CATALOG, LIBRARY)
    found = recovered(text)
    assert found.bound is None
    assert [(e.line, e.column, e.message) for e in found.errors] == [
        (whole.value.line, whole.value.column, whole.value.message)
    ]


@examples(200)
@given(st.text(alphabet="points><= and or()'[]3:;s\n\t{},在且或", max_size=60), st.sampled_from(HEADS))
def test_any_text_has_a_result_or_an_error(text: str, head: str) -> None:
    found = recovered(head + text)
    assert found.bound is not None or found.errors
