"""Explanations say which instants and versions a rule rests on."""

import pytest

from quanyu.dsl import Clock, explain
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW, bind


def explained(rule: str, clock: Clock = CLOCK) -> list[str]:
    bound = bind(rule)
    return explain(bound, LIBRARY.publish(bound), CATALOG, clock)


def test_the_two_thirty_days_are_visibly_different() -> None:
    (rolling,) = explained("did not touch in last 30d")
    (calendar,) = explained("did not touch in last 1 calendar month")
    assert rolling == (
        "did not touch@2 in last 30d; "
        "`in last 30d` is from 2026-10-23 17:30:00 to 2026-11-22 17:30:00 (Asia/Shanghai, exactly 720 hours); "
        "touch@2 is order or scan."
    )
    assert calendar == (
        "did not touch@2 in last 1 calendar month; "
        "`in last 1 calendar month` is from 2026-10-01 00:00:00 to 2026-11-01 00:00:00 "
        "(Asia/Shanghai, the whole local days 2026-10-01 to 2026-10-31); touch@2 is order or scan."
    )


def test_elapsed_time_is_hours_even_from_midnight_to_midnight() -> None:
    midnight = NOW - NOW % 86_400_000 - 8 * 3_600_000
    (rolling,) = explained("did order in last 30d", Clock(midnight, "Asia/Shanghai"))
    assert "exactly 720 hours" in rolling
    assert "whole local days" not in rolling


def test_one_sentence_for_each_clause() -> None:
    lines = explained("last_touch > 30d and channel in [pos] and in segment vip")
    assert len(lines) == 3
    assert lines[0].startswith("last_touch@2 > 30d; `last_touch@2 > 30d` is before 2026-10-23 17:30:00 (Asia/Shanghai)")
    assert lines[1] == "and channel in ['pos']."
    assert "net_spend@3 is sum(order.amount in last 90d) - sum(refund.amount in last 90d)" in lines[2]


def test_m1_m3_segments_through_time() -> None:
    (was,) = explained("not was in segment buyers 30d ago")
    assert was == (
        "not was in segment buyers@1 30d ago; "
        "`was in segment buyers@1 30d ago` is asked of 2026-10-23 17:30:00 (Asia/Shanghai)."
    )
    (entered,) = explained("entered segment buyers in last month")
    assert entered.endswith("only both ends of its window are looked at, not what happened between (M3).")
    (past,) = explained("was in segment vip 30d ago")
    assert "`in last 90d` is from 2026-07-25 17:30:00 to 2026-10-23 17:30:00" in past


@pytest.mark.parametrize(
    ("times", "offer"),
    [
        ("", "did order exactly 0 times in exactly 3 of last 4 calendar weeks"),
        (" at least 1 times", "did order exactly 0 times in exactly 3 of last 4 calendar weeks"),
        (" at least 3 times", "did order at most 2 times in exactly 3 of last 4 calendar weeks"),
        (" at most 3 times", "did order at least 4 times in exactly 3 of last 4 calendar weeks"),
        (" exactly 3 times", ""),
        (" at least 0 times", ""),
    ],
)
def test_e7_did_not_denies_all_units_together(times: str, offer: str) -> None:
    (line,) = explained(f"did not order{times} in exactly 3 of last 4 calendar weeks")
    instead = f": of each unit it is said by `{offer}` (E7)." if offer else " (E7)."
    assert "(Asia/Shanghai, the whole local days 2026-10-19 to 2026-11-15)" in line
    assert line.endswith(f"; `did not` denies the whole{instead}")


def test_statements() -> None:
    assert explained("define d@2 = order or scan") == ["d@2 is order or scan."]
    (segment,) = explained("segment s among vip: points > 3")
    assert segment == "points > 3 (only among in segment vip@3)."
    tag = explained("tag t: 'a' when points > 3; else 'b'")
    assert tag == ["'a' when points > 3.", "otherwise, also where a tier is unknown, 'b'."]
    (metric,) = explained("metric m = count(order in last 7d)")
    assert metric.startswith("m@1 is count(order in last 7d); `in last 7d` is from")
