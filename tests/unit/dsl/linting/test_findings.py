"""Findings: their order, their limit and how they quote rules."""

from dataclasses import replace

from quanyu.dsl import parse_condition
from quanyu.dsl import syntax as s
from quanyu.dsl.linting.findings import MAX_FINDINGS, Findings, join_words, quote


def node_at(line: int, column: int) -> s.Node:
    node = parse_condition("points = 1")
    return replace(node, span=replace(node.span, line=line, column=column))


def test_findings_are_in_text_order_without_duplicates() -> None:
    found = Findings()
    for line, column in ((2, 1), (1, 9), (1, 3), (2, 1)):
        found.add("NEVER_TRUE", node_at(line, column), "message")
    assert [(finding.line, finding.column) for finding in found.in_text_order()] == [(1, 3), (1, 9), (2, 1)]


def test_a_long_text_keeps_the_first_findings() -> None:
    found = Findings()
    for line in range(MAX_FINDINGS + 5, 0, -1):
        found.add("NEVER_TRUE", node_at(line, 1), "message")
    assert [finding.line for finding in found.in_text_order()] == list(range(1, MAX_FINDINGS + 1))


def test_quote_shortens_long_conditions() -> None:
    assert quote(parse_condition("points=1")) == "`points = 1`"
    long = quote(parse_condition(f"city = '{'x' * 200}'"))
    assert len(long) == 82
    assert long.endswith("...`")


def test_join_words_ends_with_and() -> None:
    assert [join_words(list("abc"[:n])) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
