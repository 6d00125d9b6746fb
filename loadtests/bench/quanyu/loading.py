"""Loads a data set through a server, the schema and the importer, as users do, and then publishes the rules."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from loadtests.bench.quanyu.declared import EVENTS, EVERYBODY, PEOPLE, SCHEMA, WORKSPACE
from loadtests.bench.questions import PUBLISHED
from loadtests.bench.world import Watch, World
from quanyu.api.ingestion.v1 import ingestion_pb2, ingestion_pb2_grpc
from quanyu.api.tagging.v1 import tagging_pb2, tagging_pb2_grpc
from quanyu.cli.demo.server import running
from quanyu.importer.client import import_file
from quanyu.runtime.rpc.channels import open_channel

# The name of the data folder in the folder of the store.
DATA = "data"
_VISIBLE_SECONDS = 3_600


class Loading:
    """Runs one server on an empty data folder. Call `load`, then `publish`."""

    def __init__(self, world: World, data: Path) -> None:
        self._world = world
        self._data = data
        self._serving = ExitStack()

    def load(self, watch: Watch) -> None:
        """Imports all rows and waits until rules see them."""
        self._data.mkdir()
        self._channel = self._serving.enter_context(open_channel(self._serving.enter_context(running(self._data))))
        ingestion = ingestion_pb2_grpc.IngestionServiceStub(self._channel)
        ingestion.PutSchema(ingestion_pb2.PutSchemaRequest(workspace=WORKSPACE, schema=SCHEMA))
        scale = self._world.scale
        people = import_file(self._world.people, PEOPLE, WORKSPACE, self._channel)
        events = import_file(
            self._world.events, EVENTS, WORKSPACE, self._channel, lambda done, _: watch(done, scale.events)
        )
        assert (people.accepted, events.accepted) == (scale.people, scale.events), (people, events)
        everything = tagging_pb2.AsOf(min_raw_offset=events.raw_offset)
        request = tagging_pb2.PreviewRuleRequest(workspace=WORKSPACE, text=EVERYBODY, as_of=everything)
        self._tagging().PreviewRule(request, timeout=_VISIBLE_SECONDS)

    def publish(self) -> None:
        """Publishes the rules and stops the server, which writes snapshots."""
        for text in PUBLISHED:
            self._tagging().PublishRule(tagging_pb2.PublishRuleRequest(workspace=WORKSPACE, text=text))
        self._serving.close()

    def _tagging(self) -> tagging_pb2_grpc.TaggingServiceStub:
        return tagging_pb2_grpc.TaggingServiceStub(self._channel)
