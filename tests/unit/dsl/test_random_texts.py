"""Any text gives a plan of the right shape, or a RuleError that points into the text."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark

from quanyu.dsl import (
    RuleError,
    build_plan,
    check_and_bind,
    compile_condition,
    explain,
    format_rule,
    parse,
    parse_condition,
)
from quanyu.dsl import syntax as s
from quanyu.dsl.parsing.parser import load_parser
from tests.seed import examples
from tests.unit.dsl import trees
from tests.unit.dsl.planning.plan_shape import check_plan
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.texts import any_texts
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


def attempt(make: Callable[[], Any]) -> tuple[Any, RuleError | None]:
    try:
        return make(), None
    except RuleError as error:
        return None, error


def assert_points_into(text: str, error: RuleError) -> None:
    lines = text.split("\n")
    assert error.text == text
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    assert str(error).startswith(f"line {error.line}, column {error.column}: ")


@examples(120)
@given(trees.conditions, st.randoms(use_true_random=False))
def test_a_condition_compiles_or_has_an_error_in_the_text(cond: s.Cond, chosen: random.Random) -> None:
    text = format_rule(Renamer(chosen).tree(cond))
    bound, error = attempt(lambda: check_and_bind(text, CATALOG, LIBRARY))
    if error is not None:
        assert_points_into(text, error)
        return
    canonical = format_rule(bound.condition)
    assert check_and_bind(canonical, CATALOG, LIBRARY).condition == bound.condition
    compiled, error = attempt(lambda: compile_condition(bound, LIBRARY, CATALOG, CLOCK))
    if error is not None:
        assert error.reason in ("time", "limit"), error
        return
    check_plan(json.loads(build_plan(NOW, compiled)))
    assert len(explain(bound, LIBRARY, CATALOG, CLOCK)) == len(compiled.clauses)


@examples(120)
@example("x = ² and ｗｈｅｎ > ²")
@given(from_lark(load_parser(), start="cond") | from_lark(load_parser(), start="start"))
def test_a_text_of_the_grammar_parses_or_has_an_error_in_the_text(text: str) -> None:
    """The texts have words without a space between them, and digits of any script."""
    for read in (parse, parse_condition):
        tree, error = attempt(lambda read=read: read(text))
        if error is not None:
            assert_points_into(text, error)
        else:
            assert read(format_rule(tree)) == tree


@examples(300)
@given(any_texts)
def test_any_text_parses_or_has_an_error_in_the_text(text: str) -> None:
    for read in (parse, parse_condition):
        tree, error = attempt(lambda read=read: read(text))
        if error is not None:
            assert_points_into(text, error)
        else:
            assert read(format_rule(tree)) == tree
