"""The names of docs/rules/catering.yaml, as the examples of the documents use them."""

from pathlib import Path

import yaml
from google.protobuf import json_format

from quanyu import dsl
from quanyu.api.event.v1 import event_pb2
from quanyu.tagging.catalog import catalog_of

DOCS = Path(__file__).parents[3] / "docs"


def catalog() -> dsl.Catalog:
    declared = yaml.safe_load((DOCS / "rules/catering.yaml").read_text(encoding="utf-8"))
    channels = declared.pop("channels")
    return catalog_of(json_format.ParseDict(declared, event_pb2.Schema()), channels)
