"""The values that a condition compares."""

import pytest

from quanyu import dsl
from quanyu.tagging.explanation.subjects import subjects
from tests.unit.dsl.world import CATALOG, LIBRARY


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("points > 5", ["points"]),
        ("count(order) / points >= 2", ["count(order) / points", "count(order)", "points"]),
        ("points > points", ["points"]),
        ("(points default 3) > 2", ["points"]),
        ("quintile(count(order)) = 5", ["quintile(count(order))", "count(order)"]),
        ("did order", []),
    ],
)
def test_each_compared_value_is_found_once_with_its_operands(text: str, values: list[str]) -> None:
    cond = dsl.check_and_bind(text, CATALOG, LIBRARY).condition
    assert cond is not None
    assert [dsl.format_rule(expr) for expr in subjects(cond)] == values
