"""For how long a compiled segment stands."""

import json

import pytest

from quanyu.dsl import check_and_bind, standing_root
from tests.unit.dsl.compiled import DAY
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW

NEXT_DAY = CLOCK.day_ms(CLOCK.today) + DAY


@pytest.mark.parametrize(
    ("condition", "stands"),
    [
        ("did order in last 30d", None),
        ("last_touch > 30d", None),
        ("did order in last 1 calendar week", NEXT_DAY - NOW),
        ("was in segment vip 30d ago", None),
    ],
)
def test_a_calendar_window_stands_until_the_day_ends_and_elapsed_time_always(
    condition: str, stands: int | None
) -> None:
    library = LIBRARY.publish(check_and_bind(f"segment probe: {condition}", CATALOG, LIBRARY))
    root, ms = standing_root("probe", 1, library, CATALOG, CLOCK)
    assert json.loads(root)["name"] == "probe@1"
    assert ms == stands


def test_the_end_of_a_window_to_come_limits_it() -> None:
    later = CLOCK.local(NOW + 10 * DAY).date()
    library = LIBRARY.publish(check_and_bind(f"segment probe: did order before {later}", CATALOG, LIBRARY))
    _, ms = standing_root("probe", 1, library, CATALOG, CLOCK)
    assert ms == CLOCK.day_ms(later) - NOW
