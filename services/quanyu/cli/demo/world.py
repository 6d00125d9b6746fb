"""The parts of a dataset of the demo (a world): files to import, a schema, rules, and a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from quanyu.api.event.v1 import event_pb2
from quanyu.cli.catalog_file import parse_catalog
from quanyu.importer.mapping import Mapping, parse_mapping


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import, and the mapping of its rows."""

    path: Path
    mapping: Mapping


@dataclass(frozen=True, slots=True)
class Recall:
    """The campaign of a world: a coupon for a segment, with a tenth held out."""

    segment: str
    # Namespace of the identifiers that messages are sent to.
    namespace: str
    coupon_prefix: str
    template: str


@dataclass(frozen=True, slots=True)
class World:
    """One workspace of the demo. `sources` are in the order of import."""

    name: str
    title: str
    as_of: datetime
    schema: event_pb2.Schema
    rules: str
    sources: tuple[Source, ...]
    recall: Recall
    # The segment that the demo explains.
    explained: str
    # Pairs of segments to compare, and why they differ.
    compared: tuple[tuple[str, str, str], ...]


def schema_of(world: str) -> event_pb2.Schema:
    return parse_catalog(_text(world, "schema.yaml"), f"{world}/schema.yaml").schema


def rules_of(world: str) -> str:
    return _text(world, "segments.rules")


def mapping_of(world: str, name: str) -> Mapping:
    return parse_mapping(_text(world, f"{name}.yaml"), f"{world}/{name}.yaml")


def _text(world: str, name: str) -> str:
    return (files("quanyu.cli.demo") / world / name).read_text(encoding="utf-8")
