"""An open workspace of the tagging service: its index, published rules and live segments."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import grpc

from quanyu.api.event.v1 import event_pb2
from quanyu.dsl import Catalog, Library
from quanyu.engine import Index, InvalidError, Limits, LocalLog
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.log_follower import LogFollower
from quanyu.tagging.evaluation.arrivals import offset_known_before
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.live import LiveSegments
from quanyu.tagging.preview.frequencies import Frequencies


class ReadableWorkspace:
    """Reads people and published rules as of any instant; its index folds no further frames."""

    def __init__(self, name: str, index: Index, library: Library) -> None:
        self.name = name
        self.index = index
        self.library = library
        self.frequencies = Frequencies()
        # The snapshot read last, and the epoch and raw offset that it is of.
        self._snapshot: tuple[tuple[tuple[int, int], int | None], SchemaSnapshot] | None = None

    def evaluation_at(
        self, as_of_ms: int, known_at: int | None = None, limits: Limits | None = None
    ) -> EvaluationContext:
        """Returns the context of evaluations as of an instant, at a raw offset (None: all that is folded)."""
        # A snapshot changes only when the index folds a frame, and is slow to read.
        version = (self.index.epoch(), known_at)
        snapshot = self._snapshot
        if snapshot is None or snapshot[0] != version:
            snapshot = self._snapshot = (version, self.schema_snapshot(known_at))
        return replace(snapshot[1].evaluation_at(self.library, as_of_ms), limits=limits)

    def schema_snapshot(self, known_at: int | None) -> SchemaSnapshot:
        return read_schema_snapshot(self.index, known_at)

    def wait(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        """Waits until the index has folded the raw log up to an offset; here it never folds more."""

    def wait_live(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        """Waits until live segments include the raw log up to an offset. Raises InvalidInput: there are none here."""
        raise InvalidInput(
            "as_of.live: only a running server keeps live segments; leave `live` out", field="as_of.live"
        )

    def offset_known_before(self, instant_ms: int) -> int:
        """Returns the raw offset that covers what arrived before an instant; here, all that is folded."""
        return self.index.epoch()[0]


class Workspace(ReadableWorkspace):
    """A workspace whose index follows the log; its library changes only when rules are published."""

    def __init__(
        self,
        name: str,
        index: Index,
        resolved: LocalLog,
        follower: LogFollower,
        library: Library,
        live: Callable[[Workspace], LiveSegments],
    ) -> None:
        super().__init__(name, index, library)
        self._resolved = resolved
        # Held while publishing, so that a version is published once.
        self.publishing = threading.Lock()
        self._follower = follower
        # Opened before the threads start: a damaged membership log is reported before anything runs.
        self.live = live(self)
        follower.start()
        self.live.start()

    def offset_known_before(self, instant_ms: int) -> int:
        """Returns the raw offset that covers what arrived before an instant, as far as it is folded."""
        return min(offset_known_before(self._resolved, instant_ms), self.index.epoch()[0])

    def replace_library(self, library: Library) -> None:
        """Replaces the published rules and updates the live segments at once."""
        self.library = library
        self.live.wake()

    def wait(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        self._follower.wait_until(lambda: self.index.epoch()[0] >= min_raw_offset, context)

    def wait_live(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        self.live.wait(min_raw_offset, context)

    def close(self) -> None:
        self._follower.close()
        self.live.close()


@dataclass(frozen=True, slots=True)
class SchemaSnapshot:
    """The catalog and calendar settings of a workspace at one version of its index.

    `known_at`: raw offset of that version; None: the newest.
    """

    catalog: Catalog
    settings: event_pb2.Settings
    earliest_ms: int
    known_at: int | None

    def evaluation_at(self, library: Library, as_of_ms: int) -> EvaluationContext:
        return EvaluationContext(
            self.catalog, library, clock_of(self.settings, as_of_ms, self.earliest_ms), self.known_at
        )


def read_schema_snapshot(index: Index, known_at: int | None = None) -> SchemaSnapshot:
    """Reads the schema of an index at a raw offset (None: the newest), with the channels seen until then.

    Raises InvalidInput if the index is not folded that far.
    """
    try:
        schema = event_pb2.Schema.FromString(index.schema(known_at))
        catalog = catalog_of(schema, index.channels(known_at))
        return SchemaSnapshot(catalog, schema.settings, index.earliest_ms(known_at), known_at)
    except InvalidError as error:
        raise InvalidInput(str(error), reason="NOT_FOLDED_YET", field="as_of.known_at") from error
