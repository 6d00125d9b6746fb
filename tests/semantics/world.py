"""Builds small workspaces by hand, folds them with the real engine, and evaluates rules on them.

world = World(folder, anna=[did("order", "2026-11-20 09:00", amount=30)], ben=[has(city="上海")])
assert world.says("city = '上海'") == {"anna": None, "ben": True}
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from quanyu import dsl
from quanyu.api.event.v1 import event_pb2, log_pb2
from quanyu.api.ingestion.v1 import ingestion_pb2
from quanyu.cli.catalog_file import load_catalog
from quanyu.engine import Index, Ingestor, LocalLog, Resolver
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of

SCHEMA = Path(__file__).with_name("schema.yaml")
ZONE = "Asia/Shanghai"
NOW = "2026-11-22 10:00"
RECEIVED_AT = 4_000_000_000_000  # later than any event, so that none is in the far future
LENGTHS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}

Verdicts = dict[str, bool | None]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Fact:
    """An event, or a change of attributes if `type` is empty.

    `when` is a local time or milliseconds. A change without it has always held.
    """

    type: str
    when: str | int | None
    values: dict[str, Any]
    channel: str = ""
    source: str = "till"
    id: str = field(default_factory=lambda: f"{next(_numbers):06}")
    phone: str = ""


def did(kind: str, when: str | int, *, channel: str = "", source: str = "till", id: str = "", **values: Any) -> Fact:
    made = Fact(kind, when, values, channel, source)
    return Fact(kind, when, values, channel, source, id) if id else made


def has(*, when: str | int | None = None, phone: str = "", **values: Any) -> Fact:
    """Returns a change of attributes. `phone` is a second identifier, which may join two people."""
    return Fact("", when, values, phone=phone)


def at(local: str, zone: str = ZONE) -> int:
    """Returns the milliseconds of a local time; of one that occurs twice, the first."""
    return round(dt.datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def ago(length: str, ms: int = 0) -> int:
    """Returns the instant that lies `length` before NOW, plus `ms` milliseconds."""
    number = length.rstrip("msinhd")
    return at(NOW) - int(number) * LENGTHS[length.removeprefix(number)] + ms


class World:
    """A workspace with its people in an index.

    `items` maps (catalog, key) to attributes. `settings` are fields of event_pb2.Settings.
    """

    def __init__(
        self,
        folder: Path,
        items: dict[tuple[str, str], dict[str, Any]] | None = None,
        rules: str = "",
        schema: Path = SCHEMA,
        zone: str = ZONE,
        settings: dict[str, Any] | None = None,
        **people: list[Fact],
    ) -> None:
        self.zone = zone
        self._raw, self._rejects = LocalLog.create(str(folder / "raw")), LocalLog.create(str(folder / "rejects"))
        self._ingestor = Ingestor(self._raw, self._rejects, str(folder / "ingest"))
        self._resolver, self._index = Resolver(str(folder / "identity")), Index(str(folder / "index"))
        declared = load_catalog(schema)
        self._channels, self.schema = list(declared.channels), declared.schema
        self.declare(self.schema, **(settings or {}))
        self._people: list[str] = []
        for (catalog, key), attributes in (items or {}).items():
            self.put_item(catalog, key, **attributes)
        self.add(**people)
        self.library = dsl.Library()
        self.publish(rules)

    # Input.

    def declare(self, schema: event_pb2.Schema, **settings: Any) -> int:
        """Declares a schema and settings, and returns the raw offset before them."""
        offset = self.end
        schema.settings.CopyFrom(event_pb2.Settings(timezone=self.zone, **settings))
        self._ingestor.put_schema(schema.SerializeToString(), RECEIVED_AT)
        self._fold()
        return offset

    def put_item(self, catalog: str, key: str, **attributes: Any) -> int:
        item = event_pb2.CatalogItem(catalog=catalog, key=key)
        (fields,) = (of.attributes for of in self.schema.catalogs if of.name == catalog)
        self._fill(item.attributes, fields, attributes)
        return self._ingest([event_pb2.Record(item=item)])

    def add(self, **people: list[Fact]) -> int:
        """Ingests facts in their order, and returns the raw offset before them."""
        self._people += [name for name in people if name not in self._people]
        records = [self._record(name, fact) for name, facts in people.items() for fact in facts]
        return self._ingest(records) if records else self.end

    def refused(self, **people: list[Fact]) -> list[Any]:
        """Ingests facts, and returns the rejections."""
        return list(
            self._answer([self._record(name, fact) for name, facts in people.items() for fact in facts]).rejects
        )

    def erase(self, name: str) -> int:
        erase = log_pb2.Erase(person=self.oneid(name))
        return self._decide(log_pb2.Decision(erase=erase, idempotency_key=f"erase {name}"))

    def split(self, name: str, other: str) -> int:
        """Takes the card of `other` away from the person `name`."""
        leaving = event_pb2.Identifier(namespace="card", value=f"c-{other}")
        parted = log_pb2.Split(person=self.oneid(name), identifiers=[leaving])
        return self._decide(log_pb2.Decision(split=parted, idempotency_key=f"split {name}"))

    def publish(self, rules: str) -> None:
        self.library = self.library.publish(dsl.check_and_bind(rules, self.catalog(), self.library))

    # Questions.

    @property
    def end(self) -> int:
        return self._raw.end()

    def oneid(self, name: str) -> int:
        found: int = self._resolver.resolve("card", f"c-{name}")
        return found

    def catalog(self, known_at: int | None = None) -> dsl.Catalog:
        return catalog_of(event_pb2.Schema.FromString(self._index.schema(known_at)), self._channels)

    def clock(self, as_of: str | int = NOW, known_at: int | None = None) -> dsl.Clock:
        settings = event_pb2.Schema.FromString(self._index.schema(known_at)).settings
        return clock_of(settings, self._ms(as_of), self._index.earliest_ms(known_at))

    def compiled(self, rule: str, as_of: str | int = NOW, known_at: int | None = None) -> dsl.CompiledRule:
        """Compiles a condition, or a published segment or tag by its name."""
        catalog, clock = self.catalog(known_at), self.clock(as_of, known_at)
        kind = self.library.kind(rule)
        if kind is not None:
            compile_named = dsl.compile_tag if kind.__name__ == "Tag" else dsl.compile_segment
            return compile_named(rule, self.library.newest(rule), self.library, catalog, clock)
        return dsl.compile_condition(dsl.check_and_bind(rule, catalog, self.library), self.library, catalog, clock)

    def says(self, rule: str, as_of: str | int = NOW, known_at: int | None = None) -> Verdicts:
        """Returns the verdict for each person: true, false, or None where it is unknown."""
        compiled = self.compiled(rule, as_of, known_at)
        ids = [self.oneid(name) for name in self._people]
        message = dsl.build_plan(self._ms(as_of), compiled)
        return dict(zip(self._people, self._index.verdicts(message, ids, known_at)[0], strict=True))

    def holds(self, rule: str, as_of: str | int = NOW, known_at: int | None = None) -> set[str]:
        """Returns the members by evaluation, and asserts that the verdicts agree."""
        answer = self.answer(rule, as_of, known_at)
        held = dict(zip(self._people, answer.contains(0, [self.oneid(name) for name in self._people]), strict=True))
        members = {name for name, is_in in held.items() if is_in}
        verdicts = self.says(rule, as_of, known_at)
        assert members == {name for name, verdict in verdicts.items() if verdict}
        return members

    def answer(self, rule: str, as_of: str | int = NOW, known_at: int | None = None) -> Any:
        return self._index.evaluate(dsl.build_plan(self._ms(as_of), self.compiled(rule, as_of, known_at)), known_at)

    def value(self, tag: str, name: str, as_of: str | int = NOW) -> str | None:
        """Returns the value of a published tag; None where it is unknown."""
        answer, values = self.answer(tag, as_of), self.compiled(tag, as_of).values
        held = [value for root, value in enumerate(values) if answer.contains(root, [self.oneid(name)])[0]]
        assert len(held) <= 1, held
        return held[0] if held else None

    # Messages.

    def _ms(self, when: str | int) -> int:
        return when if isinstance(when, int) else at(when, self.zone)

    def _record(self, name: str, fact: Fact) -> event_pb2.Record:
        identifiers = [event_pb2.Identifier(namespace="card", value=f"c-{name}")]
        if fact.phone:
            identifiers.append(event_pb2.Identifier(namespace="phone", value=fact.phone))
        common = {"source": fact.source, "id": fact.id, "identifiers": identifiers}
        if fact.when is not None:
            common["occurred_at"] = _timestamp(self._ms(fact.when))
        if not fact.type:
            profile = event_pb2.ProfileUpdate(**common)
            self._fill(profile.attributes, self.schema.attributes, fact.values)
            return event_pb2.Record(profile=profile)
        event = event_pb2.Event(type=fact.type, channel=fact.channel, **common)
        (fields,) = (of.properties for of in self.schema.event_types if of.name == fact.type)
        self._fill(event.properties, fields, fact.values)
        return event_pb2.Record(event=event)

    def _fill(self, target: Any, fields: Iterable[event_pb2.Field], values: dict[str, Any]) -> None:
        types = {of.name: of.type for of in fields}
        for name, value in values.items():
            target[name].CopyFrom(self._value(types[name], value))

    def _value(self, kind: int, value: Any) -> event_pb2.Value:
        pb = event_pb2
        match kind:
            case _ if value is None:
                return pb.Value(cleared=0)  # type: ignore[arg-type]
            case pb.TYPE_BOOL:
                return pb.Value(flag=value)
            case pb.TYPE_NUMBER | pb.TYPE_MONEY:
                return pb.Value(decimal=str(value))
            case pb.TYPE_INSTANT:
                return pb.Value(instant=_timestamp(self._ms(value)))
            case pb.TYPE_DATE | pb.TYPE_MONTH_DAY:
                return pb.Value(date=value)
            case pb.TYPE_SET:
                return pb.Value(set=pb.TextSet(items=value))
            case pb.TYPE_MAP:
                return pb.Value(map=pb.ValueMap(entries={key: _untyped(item) for key, item in value.items()}))
            case pb.TYPE_POINT:
                return pb.Value(point=pb.Point(latitude=value[0], longitude=value[1]))
        return pb.Value(text=value)

    def _ingest(self, records: list[event_pb2.Record]) -> int:
        offset = self.end
        answer = self._answer(records)
        assert not answer.rejects, answer.rejects
        return offset

    def _answer(self, records: list[event_pb2.Record]) -> ingestion_pb2.IngestResponse:
        request = ingestion_pb2.IngestRequest(workspace="w", records=records)
        answer = self._ingestor.ingest(request.SerializeToString(), RECEIVED_AT)
        self._fold()
        return ingestion_pb2.IngestResponse.FromString(answer)

    def _decide(self, decision: log_pb2.Decision) -> int:
        offset = self.end
        self._ingestor.record_decision(decision.SerializeToString(), RECEIVED_AT)
        self._fold()
        return offset

    def _fold(self) -> None:
        for offset, frame in self._raw.read(self._resolver.offset(), 1 << 30):
            self._index.fold([(offset, self._resolver.fold(offset, frame))])

    def close(self) -> None:
        self._ingestor.close()
        self._raw.close()
        self._rejects.close()


def _untyped(value: Any) -> event_pb2.Value:
    """Returns the message for the value of a map entry."""
    if isinstance(value, bool):
        return event_pb2.Value(flag=value)
    return event_pb2.Value(text=value) if isinstance(value, str) else event_pb2.Value(decimal=str(value))


def _timestamp(ms: int) -> Timestamp:
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)
