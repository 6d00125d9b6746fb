"""Request contexts: the workspace and the evaluation of a request."""

from __future__ import annotations

from typing import Any

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.engine import CancelledError
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import now_ms, timestamp
from tests.unit.tagging.sample_workspace import NOW_MS, Call, PopulatedShop, request_context_of


@pytest.fixture(scope="module")
def shop() -> PopulatedShop:
    return PopulatedShop("segment locals: city = 'Beijing'")


def opened(shop: PopulatedShop, as_of: pb.AsOf, **token: int) -> tuple[int, int | None]:
    _, evaluation = request_context_of(shop).open_evaluation("shop", as_of, Call(), **token)
    return evaluation.clock.as_of_ms, evaluation.known_at


def test_an_evaluation_without_an_instant_is_as_of_now_with_all_data(shop: PopulatedShop) -> None:
    before = now_ms()
    as_of_ms, known_at = opened(shop, pb.AsOf())
    assert before <= as_of_ms <= now_ms()
    assert known_at is None


def test_an_evaluation_has_the_instant_and_offset_of_the_request(shop: PopulatedShop) -> None:
    assert opened(shop, pb.AsOf(instant=timestamp(NOW_MS), known_at=1)) == (NOW_MS, 1)


def test_a_page_token_overrides_the_request(shop: PopulatedShop) -> None:
    assert opened(shop, pb.AsOf(instant=timestamp(NOW_MS)), as_of_ms=NOW_MS - 1, known_at=2) == (NOW_MS - 1, 2)


def test_known_before_becomes_an_offset(shop: PopulatedShop) -> None:
    as_of = pb.AsOf(instant=timestamp(NOW_MS), known_before=timestamp(NOW_MS))
    assert opened(shop, as_of) == (NOW_MS, shop.index.epoch()[0])


@pytest.mark.parametrize(
    ("as_of", "reason"),
    [
        (pb.AsOf(known_at=1, known_before=timestamp(NOW_MS)), "TWO_KNOWN_ATS"),
        (pb.AsOf(live=True, known_at=1), "LIVE_AS_OF"),
        (pb.AsOf(live=True, known_before=timestamp(NOW_MS)), "LIVE_AS_OF"),
        (pb.AsOf(live=True, instant=timestamp(NOW_MS)), "LIVE_AS_OF"),
        (pb.AsOf(known_at=99), "NOT_FOLDED_YET"),
    ],
)
def test_a_contradictory_or_unknown_as_of_is_rejected(shop: PopulatedShop, as_of: pb.AsOf, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        opened(shop, as_of)
    assert caught.value.reason == reason


def test_the_queries_of_an_ended_call_are_cancelled(shop: PopulatedShop) -> None:
    call = Call()
    _, evaluation = request_context_of(shop).open_evaluation("shop", pb.AsOf(), call)
    compiled = [evaluation.compile_segment("locals", 1)]
    assert evaluation.find(shop.index, compiled).matched(0) == 2
    call.end()
    with pytest.raises(CancelledError):
        evaluation.find(shop.index, compiled)


@pytest.mark.parametrize(("live", "waits"), [(False, ["wait", 7]), (True, ["wait_live", 7])])
def test_a_request_waits_for_the_data_it_needs(live: bool, waits: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    shop, waited = PopulatedShop(), []
    for name in ("wait", "wait_live"):
        monkeypatch.setattr(shop, name, lambda offset, _call, name=name: waited.extend([name, offset]))
    opened(shop, pb.AsOf(min_raw_offset=7, live=live))
    assert waited == waits
