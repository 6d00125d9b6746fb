"""A workspace as tagging holds it: its index and the worker that folds it, its published rules."""

from __future__ import annotations

import threading
from functools import lru_cache

import grpc

from quanyu.api.event.v1 import event_pb2
from quanyu.dsl import Catalog, Library
from quanyu.engine import Index
from quanyu.runtime.worker import Worker
from quanyu.tagging.catalog import catalog_of, clock_of
from quanyu.tagging.domain import Reading


class Workspace:
    """Reads rules as of any instant. Its library grows when rules are published, and never changes otherwise."""

    def __init__(self, name: str, index: Index, worker: Worker, library: Library) -> None:
        self.name = name
        self.index = index
        self.library = library
        # Held while publishing, so that a version is taken once.
        self.publishing = threading.Lock()
        self._worker = worker

    def reading(self, as_of_ms: int) -> Reading:
        return reading_of(self.index, self.library, as_of_ms)

    def wait(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        self._worker.wait_until(lambda: self.index.epoch()[0] >= min_raw_offset, context)

    def close(self) -> None:
        self._worker.close()


def reading_of(index: Index, library: Library, as_of_ms: int) -> Reading:
    """What texts are read against, with the names and values that the index has seen."""
    settings, catalog = _declared(index.schema(), tuple(index.channels()))
    return Reading(catalog, library, clock_of(settings, as_of_ms, index.earliest_ms()))


@lru_cache(maxsize=64)
def _declared(schema: bytes, channels: tuple[str, ...]) -> tuple[event_pb2.Settings, Catalog]:
    """Cached, since names and values change far less often than questions are asked."""
    declared = event_pb2.Schema.FromString(schema)
    return declared.settings, catalog_of(declared, channels)
