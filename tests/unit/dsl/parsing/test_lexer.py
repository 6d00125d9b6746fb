"""The lexer: tokens of a text, in English and Chinese."""

import pytest
from lark.exceptions import UnexpectedCharacters

from quanyu.dsl.parsing.lexer import read_grammar, tokenize, tokenize_prefix


def kinds(text: str) -> list[str]:
    return [token.type for token in tokenize(text)]


def test_white_space_and_comments_have_no_tokens() -> None:
    assert kinds(" a\n\t= 1 # b = 2") == ["NAME", "EQUAL", "NUMBER"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("30d", "DUR"), ("15min", "DUR"), ("3km", "DIST"), ("3m", "DIST"), ("50%", "PERCENT"), ("1.5", "NUMBER"),
        ("2026-01-31", "DATE"), ("2026-01-31 09:00", "DATETIME"), ("2026-01", "MONTH"), ("04:00", "TIME"),
        ("@12", "VERSION"), ("`a b`", "NAME"), ("'a'", "STRING"), ("days", "UNIT"), ("at  least", "_AT_LEAST"),
    ],
)  # fmt: skip
def test_a_word_is_one_token(text: str, kind: str) -> None:
    assert kinds(text) == [kind]


def test_an_aggregate_is_a_name_without_its_bracket() -> None:
    assert kinds("count(a)")[0] == "AGG"
    assert kinds("count = 1")[0] == "NAME"


def test_a_chinese_keyword_is_the_token_of_the_english_keyword() -> None:
    (token,) = tokenize("做过")
    assert (token.type, str(token), token.start_pos, token.end_pos) == ("DID", "did", 0, 2)


def test_a_chinese_keyword_in_backquotes_is_a_name() -> None:
    assert kinds("`做过`") == ["NAME"]


def test_the_prefix_ends_before_the_first_invalid_character() -> None:
    assert [str(token) for token in tokenize_prefix("a = ? b")] == ["a", "="]
    with pytest.raises(UnexpectedCharacters):
        kinds("a = ? b")


def test_the_grammar_is_readable_as_a_package_file() -> None:
    assert read_grammar().startswith("//")
