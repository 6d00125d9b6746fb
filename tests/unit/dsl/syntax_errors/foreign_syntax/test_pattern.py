"""Patterns of foreign syntax: placeholders, the place of the error, and replacements."""

from quanyu.dsl.syntax_errors.foreign_syntax.pattern import compile_patterns, match_patterns


def offers(row: tuple[object, ...], text: str, at: int) -> list[list[str]]:
    return [pattern.list_offers(found) for pattern, found in match_patterns(text, at, compile_patterns(row))]


def test_a_placeholder_matches_its_kind_of_value() -> None:
    row = (r"from (<date>)", "m", r"since \1")
    assert offers(row, "from 2026-01-31", 0) == [["since 2026-01-31"]]
    assert offers(row, "from 2026", 0) == []


def test_a_match_must_contain_the_error() -> None:
    row = ("b+", "m", "c")
    assert offers(row, "a bbb a", 4) == [["c"]]
    assert offers(row, "a bbb a", 0) == []


def test_the_group_at_must_begin_at_the_error() -> None:
    row = ("a (?P<at>b) c", "m", "d")
    assert offers(row, "a b c", 2) == [["d"]]
    assert offers(row, "a b c", 0) == []


def test_a_replacement_can_be_a_function_with_several_suggestions() -> None:
    row = (r"(?P<n><count>)x", "m", lambda found: [found["n"], found["n"] * 2], "z")
    assert offers(row, "7x", 1) == [["7", "77", "z"]]


def test_patterns_see_only_the_text_around_the_error() -> None:
    row = ("^a.*b", "m", "c")
    assert offers(row, "a" + "x" * 100 + "b", 50) == [["c"]]
    assert offers(row, "a" + "x" * 1_000 + "b", 500) == []


def test_patterns_match_in_their_order() -> None:
    first, second = compile_patterns(("a+", "first", "b"), ("a", "second", "c"))
    assert [pattern.message for pattern, _ in match_patterns("aaa", 0, [first, second])] == ["first", "second"]
