"""Values: units and derived numbers."""

from decimal import Decimal

import pytest

from quanyu.dsl import syntax as s


@pytest.mark.parametrize(("unit", "ms"), [("min", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)])
def test_a_duration_has_milliseconds(unit: s.ElapsedUnit, ms: int) -> None:
    assert s.Duration(3, unit).ms == 3 * ms


def test_g13_the_fraction_of_a_percentage_is_a_hundredth_of_its_value() -> None:
    assert s.Percent(Decimal("33.3")).fraction == Decimal("0.333")


def test_a_distance_has_metres() -> None:
    assert s.Distance(Decimal("1.5"), "km").metres == 1_500
    assert s.Distance(Decimal("1.5"), "m").metres == Decimal("1.5")


def test_a_name_in_backquotes_differs_from_the_bare_name() -> None:
    assert s.Ref("a", quoted=True) != s.Ref("a")
