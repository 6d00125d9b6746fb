"""Reads a catalog file: the schema and the published rules of a workspace, without its people.

docs/rules/catering.yaml is an example.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from google.protobuf import json_format

from quanyu.api.event.v1 import event_pb2
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.yaml_text import read_yaml


@dataclass(frozen=True, slots=True)
class DeclaredCatalog:
    """The contents of a catalog file.

    `channels` are the channels that rules may name (a workspace learns them from its events); `rules` is the text of
    the published rules.
    """

    schema: event_pb2.Schema
    channels: tuple[str, ...]
    rules: str


def load_catalog(path: Path) -> DeclaredCatalog:
    """Reads a catalog; raises InvalidInput if the file cannot be read or holds no catalog."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"catalog {path}: cannot be read: {error}", reason="CATALOG_UNREADABLE") from error
    return parse_catalog(text, str(path))


def parse_catalog(text: str, name: str) -> DeclaredCatalog:
    """Parses a Schema message in YAML with the keys `channels` and `rules` beside it; `name` is for errors.

    Raises InvalidInput with the place of the mistake.
    """
    try:
        contents = read_yaml(text)
        if not isinstance(contents, dict):
            raise ValueError("must be keys with values, such as `eventTypes:` and `attributes:`")
        channels = contents.pop("channels", [])
        if not isinstance(channels, list) or not all(isinstance(channel, str) for channel in channels):
            raise ValueError("channels: must be a list of texts")
        rules = contents.pop("rules", "")
        if not isinstance(rules, str):
            raise ValueError("rules: must be a text, such as `rules: |` with one rule a line below it")
        return DeclaredCatalog(json_format.ParseDict(contents, event_pb2.Schema()), tuple(channels), rules)
    except (ValueError, TypeError, json_format.ParseError) as error:
        raise InvalidInput(f"catalog {name}: {error}", reason="CATALOG_INVALID") from error
