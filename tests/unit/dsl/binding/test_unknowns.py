"""The causes for which a condition can be unknown (U)."""

import pytest

from quanyu.dsl.binding import unknowns
from quanyu.dsl.binding.references import Scope
from tests.unit.dsl.world import CATALOG, LIBRARY, bind

SCOPE = Scope(CATALOG, LIBRARY)


@pytest.mark.parametrize(
    ("rule", "causes"),
    [
        ("points > 1", ["no_value"]),
        ("points / count(order) > 1", ["no_value", "divided_by_zero"]),
        ("count(order) > 1", []),
        ("max(order.amount) > 1", ["without_events"]),
        ("last_order > 30d", ["without_events"]),
        ("first_seen > 30d", ["never_seen"]),
        ("quintile(points among vip) = 5", ["no_value", "outside"]),
        ("did order ever", []),
        ("in segment vip", []),
        ("points > 1 including unknown", []),
        ("points is unknown", []),
        ("(points default 0) > 1", []),
        ("not (points > 1 and did order ever)", ["no_value"]),
        ("frequency = heavy", []),
    ],
)
def test_a_condition_has_its_causes_of_unknown(rule: str, causes: list[str]) -> None:
    condition = bind(rule).condition
    assert condition is not None
    assert [cause.reason for cause in unknowns.find_in_condition(condition, SCOPE)] == causes


def test_a_tag_without_else_is_unknown_where_no_tier_is_true() -> None:
    library = LIBRARY.publish(bind("tag size: 'big' when points > 9"))
    condition = bind("size = big", library).condition
    assert condition is not None
    found = [cause.reason for cause in unknowns.find_in_condition(condition, Scope(CATALOG, library))]
    assert found == ["no_tier"]
