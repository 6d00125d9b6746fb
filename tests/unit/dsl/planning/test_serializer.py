"""The JSON of nodes: operators, fields and their order as in docs/plan.md."""

import json
from typing import Any, get_args

import pytest

from quanyu.dsl.planning import literals, nodes
from quanyu.dsl.planning.literals import Ago, DurationValue, NumberValue, TextValue
from quanyu.dsl.planning.serializer import join_roots, serialize_plan, serialize_root, serialize_values, to_json
from tests.unit.dsl.planning.plan_shape import CONDITIONS, EXPRESSIONS

ONE = nodes.Literal(NumberValue("1"))
YES = nodes.Constant(True)
EVENTS = nodes.Events((nodes.EventStep("order", None),), Ago(5), 9)
STEP = nodes.SequenceStep((nodes.EventStep("order", YES),), None, 7, ())

EXAMPLES: list[tuple[Any, str]] = [
    (nodes.AllOf((YES, YES)), '{"op":"all","of":[{"op":"constant","value":true},{"op":"constant","value":true}]}'),
    (nodes.AnyOf(()), '{"op":"any","of":[]}'),
    (nodes.Not(YES), '{"op":"not","of":{"op":"constant","value":true}}'),
    (nodes.OrUnknown(YES), '{"op":"or_unknown","of":{"op":"constant","value":true}}'),
    (nodes.Members(YES, None), '{"op":"set","of":{"op":"constant","value":true},"among":null}'),
    (
        nodes.MembersAt(Ago(3), YES, None),
        '{"op":"at","as_of":{"ago":3},"of":{"op":"constant","value":true},"among":null}',
    ),
    (nodes.Constant(False), '{"op":"constant","value":false}'),
    (
        nodes.Compare("<=", nodes.Property("a"), nodes.Property("b")),
        '{"op":"compare","cmp":"<=","left":{"op":"property","name":"a"},"right":{"op":"property","name":"b"}}',
    ),
    (
        nodes.IsIn(nodes.Channels(), (ONE,)),
        '{"op":"in","expr":{"op":"channels"},"items":[{"op":"literal","value":{"num":"1"}}]}',
    ),
    (nodes.Has("none", nodes.Channels(), ()), '{"op":"has","mode":"none","expr":{"op":"channels"},"items":[]}'),
    (
        nodes.TextTest("matches", nodes.EventChannel(), "^上"),
        '{"op":"text","test":"matches","expr":{"op":"event_channel"},"value":"^上"}',
    ),
    (nodes.IsKnown(nodes.Channels()), '{"op":"known","expr":{"op":"channels"}}'),
    (nodes.IsUnknown(nodes.Channels()), '{"op":"unknown","expr":{"op":"channels"}}'),
    (
        nodes.Within(nodes.Property("at"), None, 4),
        '{"op":"within","expr":{"op":"property","name":"at"},"from":null,"to":4}',
    ),
    (
        nodes.Anniversary(nodes.Property("at"), (nodes.YearDays(2026, (228, 229)),)),
        '{"op":"anniversary","expr":{"op":"property","name":"at"},"years":[{"year":2026,"month_days":[228,229]}]}',
    ),
    (
        nodes.Near(nodes.Property("at"), nodes.Literal(literals.PointValue(31.2, -4.0)), 5.0),
        '{"op":"near","expr":{"op":"property","name":"at"},'
        '"point":{"op":"literal","value":{"point":[31.2,-4.0]}},"metres":5.0}',
    ),
    (
        nodes.Happened(EVENTS, 0, None),
        '{"op":"happened","events":{"steps":[{"type":"order","where":null}],'
        '"from":{"ago":5},"to":9},"min":0,"max":null}',
    ),
    (
        nodes.Sequence((STEP,), None, None, 9),
        '{"op":"sequence","steps":[{"events":[{"type":"order","where":{"op":"constant","value":true}}],'
        '"after":null,"within":7,"without":[]}],"by":null,"from":null,"to":9}',
    ),
    (
        nodes.Rank(nodes.Channels(), "top", "0.1", None, YES),
        '{"op":"rank","expr":{"op":"channels"},"side":"top","percent":"0.1","count":null,'
        '"population":{"op":"constant","value":true}}',
    ),
    (nodes.Sample("spring", "12"), '{"op":"sample","seed":"spring","below":"12"}'),
    (ONE, '{"op":"literal","value":{"num":"1"}}'),
    (nodes.Attribute("city", None), '{"op":"attribute","name":"city","key":null}'),
    (nodes.Channels(), '{"op":"channels"}'),
    (
        nodes.Aggregate("days", EVENTS, None, (1, 2)),
        '{"op":"aggregate","fn":"days","events":{"steps":[{"type":"order","where":null}],"from":{"ago":5},"to":9},'
        '"value":null,"day_starts":[1,2]}',
    ),
    (nodes.Elapsed(nodes.Property("at")), '{"op":"elapsed","of":{"op":"property","name":"at"}}'),
    (
        nodes.Arithmetic("/", nodes.Property("a"), nodes.Property("b")),
        '{"op":"arith","fn":"/","left":{"op":"property","name":"a"},"right":{"op":"property","name":"b"}}',
    ),
    (
        nodes.Default(nodes.Property("a"), nodes.Property("b")),
        '{"op":"default","expr":{"op":"property","name":"a"},"otherwise":{"op":"property","name":"b"}}',
    ),
    (nodes.Tile(5, nodes.Channels(), None), '{"op":"tile","k":5,"expr":{"op":"channels"},"population":null}'),
    (
        nodes.Case((nodes.Tier(YES, TextValue("a")),), None),
        '{"op":"case","tiers":[{"when":{"op":"constant","value":true},"value":{"text":"a"}}],"otherwise":null}',
    ),
    (nodes.Property("a"), '{"op":"property","name":"a"}'),
    (nodes.EventChannel(), '{"op":"event_channel"}'),
    (
        nodes.ByType((nodes.TypeValue("order", nodes.Property("a")),)),
        '{"op":"by_type","of":[{"type":"order","value":{"op":"property","name":"a"}}]}',
    ),
    (
        nodes.Lookup("store", nodes.Property("a"), "city"),
        '{"op":"lookup","catalog":"store","key":{"op":"property","name":"a"},"attribute":"city"}',
    ),
    (nodes.Person(nodes.Channels()), '{"op":"person","expr":{"op":"channels"}}'),
]

VALUES: list[tuple[literals.Value, dict[str, Any]]] = [
    (NumberValue("1.5"), {"num": "1.5"}),
    (TextValue("a"), {"text": "a"}),
    (literals.BoolValue(False), {"bool": False}),
    (literals.InstantValue(8), {"instant": 8}),
    (literals.DateValue(7), {"date": 7}),
    (literals.MonthDayValue(229), {"month_day": 229}),
    (DurationValue(6), {"duration": 6}),
    (DurationValue(Ago(6)), {"duration": {"ago": 6}}),
    (literals.PointValue(1.0, 2.0), {"point": [1.0, 2.0]}),
]


@pytest.mark.parametrize(("node", "text"), EXAMPLES)
def test_fields_have_the_documented_order(node: Any, text: str) -> None:
    assert serialize_root(nodes.Root("r", node, None)).decode() == f'{{"name":"r","cond":{text},"among":null}}'


def test_every_documented_operator_has_an_example() -> None:
    kinds = {type(node) for node, _ in EXAMPLES}
    assert kinds == {*get_args(nodes.Cond), *get_args(nodes.Expr)}
    fields = {message["op"]: set(message) - {"op"} for message in (to_json(node) for node, _ in EXAMPLES)}
    assert fields == CONDITIONS | EXPRESSIONS


@pytest.mark.parametrize(("value", "message"), VALUES)
def test_a_literal_value_names_its_kind(value: literals.Value, message: dict[str, Any]) -> None:
    assert to_json(value) == message


def test_every_literal_value_has_an_example() -> None:
    assert {type(value) for value, _ in VALUES} == set(get_args(literals.Value))


def test_joined_roots_are_the_plan_of_the_roots() -> None:
    roots = [nodes.Root("上", YES, None), nodes.Root("b", nodes.Not(YES), nodes.Members(YES, None))]
    message = serialize_plan(5, roots)
    assert join_roots(5, map(serialize_root, roots)) == message
    assert json.loads(message) == {"as_of": 5, "roots": [to_json(root) for root in roots]}


def test_a_request_for_values_has_an_instant() -> None:
    assert serialize_values(5, [nodes.Channels()]) == b'{"as_of":5,"exprs":[{"op":"channels"}]}'


def test_a_deep_plan_is_serialized() -> None:
    cond: nodes.Cond = YES
    for _ in range(200):
        cond = nodes.AllOf((nodes.Not(cond),))
    assert serialize_plan(0, [nodes.Root("deep", cond, None)]).count(b'"not"') == 200
