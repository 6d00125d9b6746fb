"""Conditions about segments and samples as the parser builds them."""

import datetime as dt
from decimal import Decimal

import pytest

from quanyu.dsl import parse_condition
from quanyu.dsl import syntax as s

VIP = s.Ref("vip", 2)
WEEK = s.Duration(7, "d")


@pytest.mark.parametrize(
    ("text", "cond"),
    [
        ("in segment vip@2", s.InSegment(VIP)),
        ("not in segment vip@2", s.Not(s.InSegment(VIP))),
        ("was in segment vip@2 7d ago", s.WasInSegmentAgo(VIP, WEEK)),
        ("was in segment vip@2 on 2026-01-31", s.WasInSegmentOn(VIP, s.Date(dt.date(2026, 1, 31)))),
        ("entered segment vip@2 in last 7d", s.EnteredSegment(VIP, s.LastElapsed(WEEK))),
        ("left segment vip@2 in each of last 3 calendar weeks", s.LeftSegment(VIP, s.InEach(s.Units(3, "week")))),
        ("sample 10%", s.Sample(s.Percent(Decimal(10)))),
        ("sample 10% seed 'a'", s.Sample(s.Percent(Decimal(10)), s.Text("a"))),
    ],
)
def test_a_membership_condition_has_its_node(text: str, cond: s.Cond) -> None:
    assert parse_condition(text) == cond
