"""RuleError: its text with the place, its suggestions, and its limits."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition
from quanyu.dsl.errors import attach_text, format_error


def test_the_caret_is_under_the_column() -> None:
    with pytest.raises(RuleError) as caught:
        parse("segment a:\n  did order 3 times")
    assert str(caught.value).split("\n")[:3] == [
        "line 2, column 13: `3 times` is ambiguous: write `at least`, `at most` or `exactly` (E3)",
        "    did order 3 times",
        "              ^",
    ]


def test_the_caret_after_chinese_text_is_as_wide_as_the_text() -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition("做过 下单 3 次")
    assert str(caught.value).split("\n")[2] == "  　　 　　 ^"


def test_a_long_line_is_cut_around_the_place() -> None:
    clauses = " or ".join(["city = 'x'"] * 2_000)
    with pytest.raises(RuleError) as caught:
        parse_condition(f"{clauses} or city ! 'x' or {clauses}")
    where, line, caret, *_ = str(caught.value).split("\n")
    assert where.startswith("line 1, column 28006: ")
    assert len(line) < 120
    assert line[caret.index("^") :].startswith("! 'x' or city")


def test_suggestions_follow_the_text_on_lines_of_their_own() -> None:
    assert format_error("a b", 1, 3, "wrong", ["c", "d"]).split("\n") == [
        "line 1, column 3: wrong", "  a b", "    ^", "  write: c", "  write: d"
    ]  # fmt: skip


def test_an_error_without_a_text_has_no_caret() -> None:
    assert str(RuleError("wrong", 2, 1, "name")) == "line 2, column 1: wrong"


def test_attach_text_keeps_the_text_of_an_inner_block() -> None:
    with pytest.raises(RuleError) as caught, attach_text("outer"), attach_text("inner"):
        raise RuleError("wrong", 1, 1, "name")
    assert caught.value.text == "inner"


def test_too_deep_recursion_becomes_a_limit_error() -> None:
    with pytest.raises(RuleError, match="nested too deeply") as caught, attach_text("x"):
        raise RecursionError
    assert (caught.value.reason, caught.value.text) == ("limit", "x")


def test_suggestions_are_computed_once_and_only_when_read() -> None:
    calls: list[int] = []

    def suggest() -> list[str]:
        calls.append(1)
        return ["a"]

    error = RuleError("wrong", 1, 1, "name", suggest)
    assert calls == []
    assert error.suggestions == error.suggestions == ("a",)
    assert calls == [1]


def test_long_messages_are_cut_and_long_suggestions_dropped() -> None:
    error = RuleError("m" * 5_000, 1, 1, "syntax", ["s" * 5_000, "short"])
    assert error.message == "m" * 1_000 + "..."
    assert error.suggestions == ("short",)
