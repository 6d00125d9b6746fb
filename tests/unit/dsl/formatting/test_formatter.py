"""The formatter: parse(format(tree)) == tree, and canonical text stays the same."""

import pytest
from hypothesis import given

from quanyu.dsl import format_rule, parse, parse_condition
from quanyu.dsl import syntax as s
from tests.seed import examples
from tests.unit.dsl import trees

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@examples(100)
@given(trees.conditions)
def test_a_condition_parses_to_the_same_tree(cond: s.Cond) -> None:
    assert parse_condition(format_rule(cond)) == cond


@examples(100)
@given(trees.statements)
def test_a_statement_parses_to_the_same_tree(statement: s.Statement) -> None:
    script = s.Script((statement,))
    assert parse(format_rule(script)) == script


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("did order", "did order ever"),  # T2
        ("count(order ever) > 3", "count(order) > 3"),
        ("did   order\n at\tleast 3 times # often\n in last 30d", "did order at least 3 times in last 30d"),  # G6
        ("x in last 1 calendar months", "x in last 1 calendar month"),  # G8
        ("did order in last 3 calendar month", "did order in last 3 calendar months"),
        ('name = "it\'s"', "name = 'it''s'"),  # G11
        ("((a = 1))", "a = 1"),
        ("(a = 1) and ((b = 2) or (c = 3))", "a = 1 and (b = 2 or c = 3)"),
        ("not city in ['x']", "not (city in ['x'])"),
        ("not (in segment vip)", "not in segment vip"),
        ("a - (b - c) - (d * e) > (1 + 2) * 3", "a - (b - c) - d * e > (1 + 2) * 3"),
        ("a default 0 > 3", "(a default 0) > 3"),  # G15
        ("x is not known", "x is unknown"),
        (
            "城市 属于 ['上海'] 且 做过 下单 至少 3 次 在 最近 30d",
            "城市 in ['上海'] and did 下单 at least 3 times in last 30d",
        ),
    ],
)
def test_a_condition_has_its_canonical_text(written: str, canonical: str) -> None:
    assert format_rule(parse_condition(written)) == canonical
    assert format_rule(parse_condition(canonical)) == canonical


def test_a_test_has_a_line_for_each_part() -> None:
    given = "given anna {level: gold} given anna did order at 2026-01-02T10:00"
    text = f'test "it" {{ {given} when as of 2026-02-03 then anna in segment s }}'
    assert format_rule(parse(text)) == (
        "test 'it' {\n"
        "  given anna {level: gold}\n"
        "  given anna did order at 2026-01-02 10:00\n"
        "  when as of 2026-02-03\n"
        "  then anna in segment s\n"
        "}"
    )
