from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from quanyu.cli.demo import report
from quanyu.cli.demo.results import (
    CampaignRun,
    SegmentFound,
    Window,
    WorldFound,
    as_json,
)


def found() -> WorldFound:
    windows = [
        Window("in last 30d", "2017-12-02T00:00:00-05:00", "2018-01-01T00:00:00-05:00"),
        Window("ever", None, None),
    ]
    segments = {"lapsed": SegmentFound("segment lapsed@1: [not markup]", 419, 1.25, windows)}
    campaign = CampaignRun("lapsed", [("audience", 419), ("not_held_out", 377)], 377, "lapsed.csv", "ab")
    return WorldFound(1_477_998, 2_469, 12.5, "2018-01-01T00:00:00-05:00", segments, campaign)


def test_the_json_is_the_promised_one() -> None:
    assert json.loads(json.dumps(as_json(512.34, {"complete_journey": found()}))) == {
        "peak_memory_mb": 512.3,
        "worlds": {
            "complete_journey": {
                "events": 1_477_998,
                "people": 2_469,
                "ingest_seconds": 12.5,
                "as_of": "2018-01-01T00:00:00-05:00",
                "segments": {
                    "lapsed": {
                        "rule": "segment lapsed@1: [not markup]",
                        "count": 419,
                        "milliseconds": 1.25,
                        "windows": [
                            {
                                "text": "in last 30d",
                                "from": "2017-12-02T00:00:00-05:00",
                                "to": "2018-01-01T00:00:00-05:00",
                            },
                            {"text": "ever", "from": None, "to": None},
                        ],
                    }
                },
                "campaign": {
                    "segment": "lapsed",
                    "waterfall": [["audience", 419], ["not_held_out", 377]],
                    "delivered": 377,
                    "file": "lapsed.csv",
                    "sha256": "ab",
                },
            }
        },
    }


@pytest.mark.parametrize("width", [60, 200])
def test_what_is_printed_holds_every_number(width: int) -> None:
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
