"""The results of the demo have a documented JSON form."""

from __future__ import annotations

import json

from quanyu.cli.demo.results import as_json
from tests.unit.cli.demo.sample_results import found


def test_as_json_has_the_documented_structure() -> None:
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
