"""Ingests a random world into the real engine: log, identity and index, without gRPC."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

from quanyu.api.event.v1 import event_pb2, log_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.engine import Index, Ingestor, LocalLog, Resolver
from tests.oracle.world import World, catalog_records, identifiers_of, schema, split, to_record

RECEIVED_AT = 4_000_000_000_000  # later than any event, so that none is in the far future
BATCH = 5


class Engine:
    """A data folder and an index that hold one world."""

    def __init__(self, folder: Path, world: World) -> None:
        self.raw = LocalLog.create(str(folder / "raw"))
        self.rejects = LocalLog.create(str(folder / "rejects"))
        ingestor = Ingestor(self.raw, self.rejects, str(folder / "ingest"))
        ingestor.put_schema(schema(world).SerializeToString(), RECEIVED_AT)
        records = [*catalog_records(world), *map(to_record, world.records)]
        for start in range(0, len(records), BATCH):
            request = ingestion_pb2.IngestRequest(workspace="w", records=records[start : start + BATCH])
            answer = ingestion_pb2.IngestResponse.FromString(ingestor.ingest(request.SerializeToString(), RECEIVED_AT))
            assert not answer.rejects, answer.rejects
        self.folder = folder
        self.resolver = Resolver(str(folder / "identity"))
        self.index = Index(str(folder / "index"))
        self.fold()
        # From this offset on, each frame is one split.
        self.splits_from = self.raw.end()
        for person in world.splits:
            ingestor.record_decision(self.split_decision(person).SerializeToString(), RECEIVED_AT)
            self.fold()
        ingestor.close()
        self.schema = event_pb2.Schema.FromString(self.index.schema())

    def fold(self) -> None:
        frames = self.raw.read(self.resolver.offset(), 1 << 30)
        self.index.fold([(offset, self.resolver.fold(offset, frame)) for offset, frame in frames])

    def split_decision(self, person: int) -> log_pb2.Decision:
        """Returns the decision that takes the phone away from the person."""
        card, phone = identifiers_of(person)
        namespace, value = phone.split(":")
        leaving = event_pb2.Identifier(namespace=namespace, value=value)
        oneid = self.resolver.resolve(*card.split(":"))
        return log_pb2.Decision(split=log_pb2.Split(person=oneid, identifiers=[leaving]), idempotency_key=card)

    def erase(self, person: int) -> None:
        """Erases the owners of both identifiers; after a split these are two people."""
        ingestor = Ingestor(self.raw, self.rejects, str(self.folder / "ingest"))
        for identifier in identifiers_of(person):
            if oneid := self.resolver.owner(*identifier.split(":")):
                erasure = log_pb2.Decision(erase=log_pb2.Erase(person=oneid), idempotency_key=f"erase {identifier}")
                ingestor.record_decision(erasure.SerializeToString(), RECEIVED_AT)
                self.fold()
        ingestor.close()

    def oneids(self, world: World, offset: int) -> dict[int, int]:
        """Returns the OneID of each person as of a raw offset."""
        resolver = Resolver(str(self.folder / "identity then"))
        for at, frame in self.raw.read(0, 1 << 30)[:offset]:
            resolver.fold(at, frame)
        return {record.person: resolver.resolve(*record.identifiers[-1].split(":")) for record in world.records}

    def close(self) -> None:
        self.raw.close()
        self.rejects.close()


def known_at(world: World, offset: int, splits_from: int) -> World:
    """Returns the part of a world that the frames before a raw offset hold.

    From `splits_from` on, each frame is a split. A person counts as two people until a record links
    the two identifiers.
    """
    arrived = max(offset - 1, 0) * BATCH  # the first frame is the schema
    items = [(catalog, key) for catalog, of in world.catalogs.items() for key in of]
    catalogs = {
        catalog: {key: of[key] for name, key in items[:arrived] if name == catalog}
        for catalog, of in world.catalogs.items()
    }
    records = list(islice(world.records, max(arrived - len(items), 0)))
    linked = {record.person for record in records if len(record.identifiers) > 1}
    apart = {record.person for record in records} - linked
    split_people = world.splits[: max(offset - splits_from, 0)]
    return split(replace(world, catalogs=catalogs, records=tuple(records)), (*apart, *split_people))
