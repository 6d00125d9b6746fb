"""Each kind of channel has its sink."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanyu.delivery.sinks import Run
from quanyu.delivery.sinks.file import FileSink
from quanyu.delivery.sinks.registry import open_sink
from quanyu.delivery.sinks.webhook import WebhookSink
from quanyu.delivery.tables import Channel
from quanyu.runtime.errors import Unsupported

RUN = Run("recall", "s@1", 1, 2, has_coupon=False, has_content=False)
WEBHOOK = {"url": "http://127.0.0.1:1/", "secret": "whsec_" + "A" * 32, "allow_private_address": True}


@pytest.mark.parametrize(
    ("kind", "sink"), [("csv", FileSink), ("parquet", FileSink), ("webhook", WebhookSink)], ids=lambda it: str(it)
)
def test_a_channel_opens_the_sink_of_its_kind(tmp_path: Path, kind: str, sink: type) -> None:
    channel = Channel(workspace="w", name="letters", kind=kind, namespace="card", config=WEBHOOK)
    opened = open_sink(channel, tmp_path, RUN)
    opened.close()
    assert type(opened) is sink


def test_a_kind_of_a_later_version_is_unsupported(tmp_path: Path) -> None:
    channel = Channel(workspace="w", name="letters", kind="pigeon", namespace="card", config={})
    with pytest.raises(Unsupported, match="'pigeon', which this version does not support"):
        open_sink(channel, tmp_path, RUN)
