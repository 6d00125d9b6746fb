"""Results of a demo run."""

from __future__ import annotations

from quanyu.cli.demo.results import CampaignRun, SegmentFound, Window, WorldFound


def found() -> WorldFound:
    windows = [
        Window("in last 30d", "2017-12-02T00:00:00-05:00", "2018-01-01T00:00:00-05:00"),
        Window("ever", None, None),
    ]
    segments = {"lapsed": SegmentFound("segment lapsed@1: [not markup]", 419, 1.25, windows)}
    campaign = CampaignRun("lapsed", [("audience", 419), ("not_held_out", 377)], 377, "lapsed.csv", "ab")
    return WorldFound(1_477_998, 2_469, 12.5, "2018-01-01T00:00:00-05:00", segments, campaign)
