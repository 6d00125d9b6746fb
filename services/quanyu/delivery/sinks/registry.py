"""Maps each kind of channel to its sink."""

from __future__ import annotations

from pathlib import Path

from quanyu.delivery.sinks import Run, Sink
from quanyu.delivery.sinks.file import FileSink
from quanyu.delivery.sinks.webhook import WebhookSink
from quanyu.delivery.tables import Channel
from quanyu.runtime.errors import Unsupported


def open_sink(channel: Channel, folder: Path, run: Run) -> Sink:
    """Opens the sink of a channel for one campaign; `folder` is the folder of output files."""
    match channel.kind:
        case "csv" | "parquet":
            return FileSink(folder, channel.kind, run)
        case "webhook":
            return WebhookSink(channel.config, run)
    raise Unsupported(f"channel {channel.name!r} is of kind {channel.kind!r}, which this version does not support")
