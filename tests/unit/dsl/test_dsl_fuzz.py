"""Whatever is written: a plan of the right shape, or a RuleError that points into the text. Never anything else."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quanyu.dsl import RuleError, check_and_bind, compile_condition, explain, format_rule, parse, parse_condition, plan
from quanyu.dsl import syntax as s
from quanyu.dsl.keywords import RESERVED
from tests.unit.dsl import trees
from tests.unit.dsl.plan_shape import check_plan
from tests.unit.dsl.world import ATTRIBUTES, CATALOG, CLOCK, EVENTS, LIBRARY, NOW

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

_EVENTS = [event.name for event in EVENTS] + ["touch", "coffee"]
_VALUES = [a.name.partition("@")[0] for a in ATTRIBUTES] + ["net_spend", "frequency", "channel", "first_seen"]
_VALUES += [f"last_{name}" for name in _EVENTS] + ["pos", "heavy", "gold"]
_PROPERTIES = ["amount", "quantity", "note", "product", "store", "category", "price", "city", "paid", "due", "channel"]
_WORDS = (
    sorted(RESERVED | {*_EVENTS, *_VALUES, *_PROPERTIES}) + list("()[]{}=<>,.:;+-*/%'\"@# \n\t5`") + ["30d", "3.5%"]
)


class _Renamer:
    """Gives a random tree names that are declared, each where it may stand, so that most of it binds."""

    def __init__(self, chosen: random.Random) -> None:
        self._chosen = chosen

    def tree(self, node: Any) -> Any:
        if isinstance(node, tuple):
            return tuple(self.tree(item) for item in node)
        if not isinstance(node, s.Node):
            return node
        node = replace(node, **{name: self.tree(value) for name, value in s.shallow(node).items() if name != "span"})
        match node:
            case s.Aggregate():
                keys = tuple(
                    s.Key(name) for name in self._chosen.choice([(), ("amount",), ("quantity",), ("store", "city")])
                )
                return replace(node, path=s.Path(self._ref(_EVENTS), keys))
            case s.Path():
                return s.Path(self._ref(_VALUES + _PROPERTIES), node.keys if self._chosen.random() < 0.1 else ())
            case s.Step():
                return replace(node, ref=self._ref(_EVENTS))
            case s.InSegment() | s.WasInSegmentAgo() | s.WasInSegmentOn() | s.Entered() | s.Left():
                return replace(node, ref=self._ref(["vip", "buyers"]))
            case s.Sequence():
                return replace(node, by=node.by and s.Path(self._ref([*_PROPERTIES, "points"])))
            case s.InTop() | s.InBottom():
                return replace(node, of=node.of and self._ref(["vip", "buyers"]))
            case s.Tile():
                return replace(node, among=node.among and self._ref(["vip", "buyers"]))
        return node

    def _ref(self, names: list[str]) -> s.Ref:
        return s.Ref(self._chosen.choice(names))


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


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(trees.conditions, st.randoms(use_true_random=False))
def test_a_condition_compiles_or_says_why_not(cond: s.Cond, chosen: random.Random) -> None:
    text = format_rule(_Renamer(chosen).tree(cond))
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
    check_plan(json.loads(plan(NOW, compiled)))
    assert len(explain(bound, LIBRARY, CATALOG, CLOCK)) == len(compiled.clauses)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join) | st.text(max_size=30))
def test_any_text_parses_or_says_why_not(text: str) -> None:
    for read in (parse, parse_condition):
        tree, error = attempt(lambda read=read: read(text))
        if error is not None:
            assert_points_into(text, error)
        else:
            assert read(format_rule(tree)) == tree
