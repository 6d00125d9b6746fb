"""The basis of an answer as a message."""

from __future__ import annotations

from quanyu.tagging.evaluation.messages import basis_message, epoch_message, windows_of
from tests.unit.tagging.sample_workspace import DAY_MS, NOW_MS, PopulatedShop


def test_a_basis_has_everything_that_the_answer_depends_on() -> None:
    shop = PopulatedShop("metric spend = sum(order.amount in last 90d)", "segment big: spend >= 50")
    evaluation = shop.evaluation()
    compiled = [evaluation.compile_segment("big", 1)]
    answer = evaluation.find(shop.index, compiled)
    basis = basis_message(answer, NOW_MS, compiled)
    assert basis.epoch == epoch_message(shop.index.epoch())
    assert basis.epoch.raw_offset == shop.index.epoch()[0]
    assert basis.as_of.ToMilliseconds() == NOW_MS
    assert basis.versions == ["big@1", "spend@1"]
    (window,) = basis.windows
    assert window.text == "in last 90d"
    assert window.to.ToMilliseconds() == NOW_MS


def test_a_window_of_two_rules_is_listed_once_and_ever_has_no_window() -> None:
    shop = PopulatedShop(
        "segment a: did order in last 7d", "segment b: did order in last 7d", "segment c: did order ever"
    )
    evaluation = shop.evaluation()
    windows = windows_of([evaluation.compile_segment(name, 1) for name in "abc"])
    assert [(window.text, window.to.ToMilliseconds()) for window in windows] == [("in last 7d", NOW_MS)]
    assert getattr(windows[0], "from").ToMilliseconds() == NOW_MS - 7 * DAY_MS
