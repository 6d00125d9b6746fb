"""Runs the demo on one dataset after the other: import, segments, tags and a campaign, printed and measured."""

from __future__ import annotations

import json
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, tzinfo
from multiprocessing import get_context
from pathlib import Path

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console

from quanyu.api.tagging.v1 import tagging_pb2
from quanyu.cli.demo import catering, complete_journey, report
from quanyu.cli.demo.client import DemoClient, Evaluation
from quanyu.cli.demo.results import (
    CampaignRun,
    SegmentFound,
    Window,
    WorldFound,
    as_json,
)
from quanyu.cli.demo.server import peak_memory_mb, serve_demo
from quanyu.cli.demo.world import World
from quanyu.cli.import_command import import_with_progress
from quanyu.engine import roaring_count, roaring_difference
from quanyu.runtime.errors import FailedPrecondition, Unavailable
from quanyu.runtime.rpc.channels import open_channel

# Folder below the data folder, with the files of the datasets.
WORLDS = "worlds"


def run(people: int, data: Path, json_file: Path | None, console: Console) -> None:
    """Runs the demo; raises DomainError if a part of it fails.

    Leaves a data folder that `quanyu serve` and `quanyu rule preview` can open.
    """
    data = data.absolute()
    found: dict[str, WorldFound] = {}
    try:
        with serve_demo(data) as address, open_channel(address) as channel:
            console.print(f"quanyu serves all four services on {address}, data in {data}", highlight=False)
            for world in _worlds(people, data / WORLDS):
                found[world.name] = _run_world(world, channel, console)
    except grpc.RpcError as error:
        details = getattr(error, "details", lambda: None)()
        raise Unavailable(f"the server refused a call of the demo: {details or error}", reason="DEMO_FAILED") from error
    peak = peak_memory_mb()
    report.show_summary(console, found, peak)
    report.show_next_steps(console, data, found)
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(peak, found), ensure_ascii=False, indent=2) + "\n")


def _worlds(people: int, folder: Path) -> list[World]:
    """Writes the datasets in a process of its own, so that the memory it needs is free afterwards."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        prepared = (
            process.submit(complete_journey.prepare, folder / complete_journey.NAME),
            process.submit(catering.prepare, folder / catering.NAME, people),
        )
        return [world.result() for world in prepared]


def _run_world(world: World, channel: grpc.Channel, console: Console) -> WorldFound:
    report.show_title(console, world.title)
    client = DemoClient(world.name, world.as_of, channel)
    client.put_schema(world.schema)
    found = _import(world, client, channel, console)
    rules = client.publish(world.rules)
    evaluated = {rule.name: client.evaluate(rule.name) for rule in rules if rule.kind == tagging_pb2.Rule.KIND_SEGMENT}
    for rule in rules:
        if rule.kind == tagging_pb2.Rule.KIND_SEGMENT:
            found.segments[rule.name] = _segment(rule, evaluated[rule.name], world.as_of.tzinfo)
        elif rule.kind == tagging_pb2.Rule.KIND_TAG:
            found.segments |= _tiers(rule, *client.timed_preview(rule.text), world.as_of.tzinfo)
    report.show_segments(console, found)
    texts = {rule.name: rule.text for rule in rules}
    report.show_clauses(console, {name: client.preview(texts[name]) for name in evaluated})
    report.show_explained(console, world.explained, texts[world.explained], client.preview(texts[world.explained]))
    for first, second, why in world.compared:
        report.show_compared(console, found, (first, second), _only(evaluated, first, second), why)
    found.campaign = _deliver(world, client)
    report.show_campaign(console, found.campaign)
    return found


def _import(world: World, client: DemoClient, channel: grpc.Channel, console: Console) -> WorldFound:
    """Imports every file, and waits until rules see all of them."""
    started = time.monotonic()
    events = raw_offset = 0
    for source in world.sources:
        imported = import_with_progress(source.path, source.mapping, world.name, channel, console)
        if imported.rejected:
            raise FailedPrecondition(
                f"{source.path.name}: {imported.rejected} rows were refused", reason="ROWS_REFUSED"
            )
        events += imported.rows if source.mapping.records == "event" else 0
        raw_offset = max(raw_offset, imported.raw_offset)
    people = client.wait_until_visible(f"did {world.schema.event_types[0].name} ever", raw_offset)
    seconds = time.monotonic() - started
    console.print(f"{events:,} events of {people:,} people visible in segments after {seconds:.1f} s", highlight=False)
    return WorldFound(events=events, people=people, ingest_seconds=round(seconds, 3), as_of=world.as_of.isoformat())


def _segment(rule: tagging_pb2.Rule, evaluated: Evaluation, zone: tzinfo | None) -> SegmentFound:
    windows = [_window(window, zone) for window in evaluated.windows]
    return SegmentFound(rule.text, evaluated.count, round(evaluated.milliseconds, 3), windows)


def _tiers(
    rule: tagging_pb2.Rule, preview: tagging_pb2.PreviewRuleResponse, milliseconds: float, zone: tzinfo | None
) -> dict[str, SegmentFound]:
    """Returns each tier of a tag as `tag: tier`; the tiers are evaluated together, so each has the time of all."""
    windows = [_window(window, zone) for window in preview.basis.windows]
    milliseconds = round(milliseconds, 3)
    tiers = {tier.name.removeprefix(f"{rule.name}@{rule.version}: "): int(tier.matched) for tier in preview.sets}
    return {f"{rule.name}: {t}": SegmentFound(rule.text, count, milliseconds, windows) for t, count in tiers.items()}


def _only(evaluated: dict[str, Evaluation], first: str, second: str) -> tuple[int, int]:
    """Returns how many people are only in the first segment, and how many only in the second."""
    a, b = evaluated[first].roaring, evaluated[second].roaring
    return roaring_count(roaring_difference(a, b)), roaring_count(roaring_difference(b, a))


def _deliver(world: World, client: DemoClient) -> CampaignRun:
    done = client.deliver(world.recall)
    if len(done.files) != 1:
        raise FailedPrecondition(f"the campaign wrote {len(done.files)} files, not one", reason="CAMPAIGN_FILES")
    return CampaignRun(
        segment=world.recall.segment,
        waterfall=[(step.step, int(step.count)) for step in done.status.waterfall],
        delivered=int(done.delivered),
        file=done.files[0].path,
        sha256=done.files[0].sha256.hex(),
    )


def _window(window: tagging_pb2.ResolvedWindow, zone: tzinfo | None) -> Window:
    def local(name: str, instant: Timestamp) -> str | None:
        return (
            datetime.fromtimestamp(instant.ToMilliseconds() / 1000, zone).isoformat() if window.HasField(name) else None
        )

    # `from` is a word of Python.
    return Window(window.text, local("from", getattr(window, "from")), local("to", window.to))
