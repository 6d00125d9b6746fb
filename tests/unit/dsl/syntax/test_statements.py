"""Statements as the parser builds them."""

from decimal import Decimal

import pytest

from quanyu.dsl import parse, parse_condition
from quanyu.dsl import syntax as s

X = parse_condition("x = 1")
ORDER = s.Step(s.Ref("order"))


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("use day starts 04:00", s.Setting(("day", "starts"), s.Text("04:00"))),
        ("use timezone 'Asia/Shanghai'", s.Setting(("timezone",), s.Text("Asia/Shanghai"))),
        ("define d = order", s.Define(s.Ref("d"), (ORDER,))),
        ("define d = order or (scan where (x = 1))", s.Define(s.Ref("d"), (ORDER, s.Step(s.Ref("scan"), X)))),
        ("metric m@2 = 3", s.Metric(s.Ref("m", 2), s.Number(Decimal(3)))),
        ("segment a: x = 1", s.Segment(s.Ref("a"), None, X)),
        ("segment a among b: x = 1", s.Segment(s.Ref("a"), s.Ref("b"), X)),
        ("tag t: 'a' when x = 1", s.Tag(s.Ref("t"), (s.Tier(s.Text("a"), X),))),
        ("tag t: 'a' when x = 1; else 'b'", s.Tag(s.Ref("t"), (s.Tier(s.Text("a"), X),), s.Text("b"))),
    ],
)
def test_a_statement_has_its_node(text: str, statement: s.Statement) -> None:
    assert parse(text).statements == (statement,)


def test_a_script_keeps_the_order_of_its_statements() -> None:
    script = parse("metric m = 1 segment a: x = 1 define d = order")
    assert [type(statement) for statement in script.statements] == [s.Metric, s.Segment, s.Define]
