"""A workspace as tagging holds it: its index and the follower that folds it, its published rules."""

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
from quanyu.tagging.evaluation.arrivals import known_before
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.live import LiveSegments
from quanyu.tagging.preview.frequencies import Frequencies


class ReadableWorkspace:
    """People and published rules, read as of any instant. What is there now is all there is."""

    def __init__(self, name: str, index: Index, library: Library) -> None:
        self.name = name
        self.index = index
        self.library = library
        self.frequencies = Frequencies()
        self._names: tuple[tuple[tuple[int, int], int | None], SchemaSnapshot] | None = None

    def evaluation_at(
        self, as_of_ms: int, known_at: int | None = None, limits: Limits | None = None
    ) -> EvaluationContext:
        # Names and values change only when something is folded, and are not cheap to gather.
        asked = (self.index.epoch(), known_at)
        names = self._names
        if names is None or names[0] != asked:
            names = self._names = (asked, self.schema_snapshot(known_at))
        return replace(names[1].evaluation_at(self.library, as_of_ms), limits=limits)

    def schema_snapshot(self, known_at: int | None) -> SchemaSnapshot:
        return read_schema_snapshot(self.index, known_at)

    def wait(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        """Until so much is folded."""

    def wait_live(self, min_raw_offset: int, context: grpc.ServicerContext) -> None:
        """Until live segments rest on so much."""
        raise InvalidInput("as_of.live: live segments are kept by a running server only", field="as_of.live")

    def known_before(self, instant_ms: int) -> int:
        """The raw offset complete up to what had arrived before an instant: all that is there."""
        return self.index.epoch()[0]


class Workspace(ReadableWorkspace):
    """One that is folded on. Its library grows when rules are published, and never changes otherwise."""

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
        # Held while publishing, so that a version is taken once.
        self.publishing = threading.Lock()
        self._follower = follower
        # Opened first: if its log is damaged, nothing runs yet.
        self.live = live(self)
        follower.start()
        self.live.start()

    def known_before(self, instant_ms: int) -> int:
        """See `arrivals.known_before`; of what is folded."""
        return min(known_before(self._resolved, instant_ms), self.index.epoch()[0])

    def replace_library(self, library: Library) -> None:
        """Takes another library; live segments follow it at once."""
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
    """What texts can name, and the calendar they are read by, at one version of the index."""

    catalog: Catalog
    settings: event_pb2.Settings
    earliest_ms: int
    known_at: int | None

    def evaluation_at(self, library: Library, as_of_ms: int) -> EvaluationContext:
        return EvaluationContext(
            self.catalog, library, clock_of(self.settings, as_of_ms, self.earliest_ms), self.known_at
        )


def read_schema_snapshot(index: Index, known_at: int | None = None) -> SchemaSnapshot:
    """With the values that the index has seen, or had at a raw offset. InvalidInput if it is not folded that far."""
    try:
        schema = event_pb2.Schema.FromString(index.schema(known_at))
        catalog = catalog_of(schema, index.channels(known_at))
        return SchemaSnapshot(catalog, schema.settings, index.earliest_ms(known_at), known_at)
    except InvalidError as error:
        raise InvalidInput(str(error), reason="NOT_FOLDED_YET", field="as_of.known_at") from error
