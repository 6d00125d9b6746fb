"""The report of the demo prints every figure, at any width of the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from quanyu.api.tagging.v1 import tagging_pb2
from quanyu.cli.demo import report
from tests.unit.cli.demo.sample_results import found


@pytest.mark.parametrize("width", [60, 200])
def test_the_report_prints_all_figures(width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width)
    world = found()
    assert world.campaign is not None
    report.show_segments(console, world)
    report.show_compared(console, world, ("lapsed", "lapsed"), (12, 0), "because [of] windows")
    report.show_campaign(console, world.campaign)
    report.show_summary(console, {"complete_journey": world}, 512.34)
    printed = " ".join(out.getvalue().split())
    for said in ("419", "17.0%", "1.25", "12", "because [of] windows", "377", "lapsed.csv", "sha256 ab", "512 MB"):
        assert said in printed, said


def test_clauses_are_printed_only_for_segments_with_several() -> None:
    out = io.StringIO()
    clauses = [tagging_pb2.ClauseCount(text=text, matched=matched) for text, matched in (("a = 1", 5), ("b = 2", 7))]
    previews = {
        "two": tagging_pb2.PreviewRuleResponse(sets=[tagging_pb2.SetCount(clauses=clauses)]),
        "one": tagging_pb2.PreviewRuleResponse(sets=[tagging_pb2.SetCount(clauses=clauses[:1])]),
    }
    report.show_clauses(Console(file=out, width=100), previews)
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert any("two" in line and "a" in line for line in lines)
    assert not any("one" in line for line in lines)
