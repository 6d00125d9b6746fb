"""The cursor: the word at the cursor, and the parser state before it."""

from quanyu.dsl.completion.completer import complete
from quanyu.dsl.completion.cursor import Cursor, locate_cursor
from tests.unit.dsl.completion.at_bar import at_bar, texts
from tests.unit.dsl.world import CATALOG, LIBRARY


def cursor_at_end(text: str) -> Cursor:
    cursor = locate_cursor(text, len(text))
    assert cursor is not None
    return cursor


def test_a_completion_in_quotes_replaces_the_quotes() -> None:
    found = at_bar("level = 'go|' and points > 3")
    assert [(found.start, found.end, item.text) for item in found.items] == [(8, 12, "'gold'")]
    assert texts('level in ["si|') == ['"silver"']
    assert texts("city = '|'") == []


def test_the_word_under_the_cursor_is_replaced_whole() -> None:
    found = at_bar("lev|xx = 3")
    assert (found.start, found.end, [item.text for item in found.items]) == (0, 5, ["level"])


def test_there_are_no_completions_in_a_comment_or_after_an_error() -> None:
    assert texts("city = 'x' # |") == []
    assert texts("city = ] |") == []
    assert texts("city ! |") == []
    assert texts("segment a: )\nsegment b: |") != []


def test_there_are_no_completions_in_a_text_above_the_limit() -> None:
    text = "a " * 60_000
    assert complete(text, 5, CATALOG, LIBRARY).items == ()


def test_the_typed_word_and_the_open_quote_are_found() -> None:
    plain, quoted = cursor_at_end("level = go"), cursor_at_end("level = 'go")
    assert (plain.start, plain.typed, plain.quote) == (8, "go", "")
    assert (quoted.start, quoted.typed, quoted.quote) == (8, "go", "'")


def test_only_the_tokens_of_the_last_statement_count() -> None:
    cursor = cursor_at_end("segment a: x = 1 segment b: y ")
    assert [str(token) for token in cursor.tokens] == ["segment", "b", ":", "y"]


def test_the_parser_accepts_nothing_after_an_error() -> None:
    assert "CMP" in cursor_at_end("points ").accepts()
    assert cursor_at_end("points points ").accepts() == set()


def test_terminals_in_sequence_are_tried_without_changing_the_cursor() -> None:
    cursor = cursor_at_end("did order ")
    assert cursor.accepts_all(["IN", "LAST", "DUR"])
    assert not cursor.accepts_all(["IN", "DUR"])
    assert cursor.accepts_all(["IN", "LAST", "DUR"])


def test_and_in_an_open_between_joins_its_ends() -> None:
    assert cursor_at_end("x between 1 ").is_in_between
    assert not cursor_at_end("x between 1 and 2 ").is_in_between


def test_digits_after_a_hyphen_would_join_the_number_before() -> None:
    assert not cursor_at_end("points > 2000-").keeps_tokens("10")
    assert cursor_at_end("points > 2000 - ").keeps_tokens("10")


def test_a_chinese_word_makes_the_statement_chinese() -> None:
    assert cursor_at_end("城市 = ").is_chinese
    assert not cursor_at_end("city = '上海' ").is_chinese
