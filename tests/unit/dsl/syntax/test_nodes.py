"""Nodes: spans, equality and walks through a tree."""

import dataclasses

import pytest
from hypothesis import given

from quanyu.dsl import format_rule, parse_condition
from quanyu.dsl import syntax as s
from tests.seed import examples
from tests.unit.dsl import trees

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@examples(100)
@given(trees.conditions)
def test_the_span_of_a_node_is_inside_the_text(cond: s.Cond) -> None:
    text = format_rule(cond)
    for node in s.walk(parse_condition(text)):
        if node.span is not s.NO_SPAN:
            assert 0 <= node.span.start < node.span.end <= len(text)
            assert node.span.column == node.span.start + 1


def test_every_class_of_the_tree_is_frozen() -> None:
    classes = [c for c in vars(s).values() if isinstance(c, type) and issubclass(c, s.Node)]
    assert len(classes) > 80
    assert all(c.__dataclass_params__.frozen for c in classes if dataclasses.is_dataclass(c))  # type: ignore[attr-defined]


def test_equality_ignores_the_span() -> None:
    assert s.Ref("a", span=s.Span(1, 2, 1, 2)) == s.Ref("a")
    assert hash(s.Ref("a", span=s.Span(1, 2, 1, 2))) == hash(s.Ref("a"))


def test_fields_are_returned_by_name_with_the_span() -> None:
    assert s.get_fields(s.Ref("a", 2)) == {"span": s.NO_SPAN, "name": "a", "version": 2, "quoted": False}


def test_children_are_the_direct_nodes_also_of_tuples() -> None:
    path = s.Path(s.Ref("a"), (s.Key("b"), s.Text("c")))
    assert list(s.iter_children(path)) == [s.Ref("a"), s.Key("b"), s.Text("c")]


def test_a_walk_visits_a_node_before_its_descendants_in_the_order_of_the_text() -> None:
    cond = parse_condition("a = 1 and not (b.c > d)")
    names = [node.name for node in s.walk(cond) if isinstance(node, (s.Ref, s.Key))]
    assert names == ["a", "b", "c", "d"]
    assert next(s.walk(cond)) is cond
