"""Diagnostics, results and live segments as messages."""

from __future__ import annotations

import pytest

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Library, RuleError, check_and_bind
from quanyu.runtime.errors import InvalidInput
from quanyu.tagging.calls.messages import diagnostic_message, language_of, rule_test_message, segment_message
from quanyu.tagging.live import SegmentStatus
from quanyu.tagging.rule_tests.runner import RuleTestResult
from tests.unit.tagging.sample_workspace import CATALOG


def test_a_language_is_english_unless_it_is_given() -> None:
    numbers = [pb.LANGUAGE_UNSPECIFIED, pb.LANGUAGE_EN, pb.LANGUAGE_ZH]
    assert [language_of(number) for number in numbers] == ["en", "en", "zh"]
    with pytest.raises(InvalidInput) as caught:
        language_of(99)  # type: ignore[arg-type]
    assert caught.value.reason == "UNKNOWN_LANGUAGE"


def test_a_diagnostic_has_place_reason_and_suggestions() -> None:
    with pytest.raises(RuleError) as caught:
        check_and_bind("citi = 'Beijing'", CATALOG, Library())
    message = diagnostic_message(caught.value)
    assert (message.line, message.column, message.reason, message.suggestions) == (1, 1, "RULE_NAME", ["city"])


def test_a_test_passes_without_failures() -> None:
    assert rule_test_message(RuleTestResult("a", 3, [])) == pb.TestResult(name="a", line=3, passed=True)
    assert rule_test_message(RuleTestResult("a", 3, ["why"])) == pb.TestResult(name="a", line=3, failures=["why"])


def test_a_live_segment_lags_behind_since_its_instant() -> None:
    message = segment_message(SegmentStatus("a", 2, 7, 5, (9, 1_000, 4_000), "full disk"), 4_250)
    assert (message.segment, message.version, message.count, message.digest) == ("a", 2, 7, 5)
    assert (message.epoch.raw_offset, message.epoch.received_at.ToMilliseconds()) == (9, 1_000)
    assert (message.as_of.ToMilliseconds(), message.lag_ms, message.error) == (4_000, 250, "full disk")
    assert segment_message(SegmentStatus("a", 2, 7, 5, (9, 1_000, 4_000), None), 3_000).lag_ms == 0


def test_a_segment_without_members_yet_has_no_epoch() -> None:
    message = segment_message(SegmentStatus("a", 1, 0, 0, None, None), 5)
    assert not message.HasField("epoch")
    assert not message.HasField("as_of")
    assert message.error == ""
