"""A slow reference encoder that follows docs/import.md word by word."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from quanyu.api.event.v1.event_pb2 import CatalogItem, Event, Identifier, ProfileUpdate, Record, TextSet, Value

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_EXACT = 2**53


class ReferenceEncoder:
    """Encodes rows by a mapping. Values are None, bool, int, float, Decimal, str, datetime, date or list of str."""

    def __init__(self, mapping: dict[str, Any]) -> None:
        self.mapping = mapping
        self.zone = ZoneInfo(mapping.get("zone", "UTC"))

    def record(self, row: dict[str, Any], number: int) -> Record:
        match self.mapping["records"]:
            case "event":
                return Record(event=self._event(row, number))
            case "profile":
                return Record(profile=self._profile(row, number))
            case _:
                return Record(item=self._item(row, number))

    def _event(self, row: dict[str, Any], number: int) -> Event:
        event = Event(
            source=self._needed("source", row, number),
            id=self._needed("id", row, number),
            type=self._needed("type", row, number),
            identifiers=self._identifiers(row, number),
            channel=self._template(self.mapping.get("channel", ""), row, number) or "",
            properties=self._fields("properties", row),
        )
        occurred = self._time(row)
        if occurred is not None:
            event.occurred_at.CopyFrom(occurred.instant)
        return event

    def _profile(self, row: dict[str, Any], number: int) -> ProfileUpdate:
        profile = ProfileUpdate(
            source=self._needed("source", row, number),
            id=self._needed("id", row, number),
            identifiers=self._identifiers(row, number),
            attributes=self._fields("attributes", row),
        )
        occurred = self._time(row)
        if occurred is not None:
            profile.occurred_at.CopyFrom(occurred.instant)
        return profile

    def _item(self, row: dict[str, Any], number: int) -> CatalogItem:
        return CatalogItem(
            catalog=self._needed("catalog", row, number),
            key=self._needed("key", row, number),
            attributes=self._fields("attributes", row),
        )

    def _identifiers(self, row: dict[str, Any], number: int) -> list[Identifier]:
        pairs = [
            (self._template(pair["namespace"], row, number), self._template(pair["value"], row, number))
            for pair in self.mapping["identifiers"]
        ]
        return [Identifier(namespace=namespace, value=value) for namespace, value in pairs if namespace and value]

    def _needed(self, key: str, row: dict[str, Any], number: int) -> str:
        text = self._template(self.mapping[key], row, number)
        if not text:
            raise ValueError(key)
        return text

    def _template(self, template: str, row: dict[str, Any], number: int) -> str | None:
        absent = False

        def replaced(found: re.Match[str]) -> str:
            nonlocal absent
            if found[1] is None:
                return found[0][0]
            value = number if found[1] == "row" else row[found[1]]
            absent |= value is None or value == ""
            return "" if value is None else text_of(value)

        text = _PLACEHOLDER.sub(replaced, template)
        return None if absent else text

    def _time(self, row: dict[str, Any]) -> Value | None:
        if "occurred_at" not in self.mapping:
            return None
        field = self.mapping["occurred_at"]
        field = {"column": field} if isinstance(field, str) else field
        return self._value({"as": "instant"} | field, row)

    def _fields(self, key: str, row: dict[str, Any]) -> dict[str, Value]:
        fields = self.mapping.get(key, {})
        values = {
            name: self._value({"column": field} if isinstance(field, str) else field, row)
            for name, field in fields.items()
        }
        return {name: value for name, value in values.items() if value is not None}

    def _value(self, field: dict[str, str], row: dict[str, Any]) -> Value | None:
        value = row[field["column"]]
        if value is None:
            return None
        match field.get("as"):
            case None:
                return self._plain(value)
            case "text":
                return Value(text=text_of(value))
            case "number":
                return Value(decimal=value) if isinstance(value, str) else self._plain(value)
            case "decimal":
                return Value(decimal=text_of(value))
            case "flag":
                return Value(flag=value in (True, "true", "1"))
            case "date":
                return Value(date=self._local_day(value) if isinstance(value, datetime) else str(value))
            case "set":
                items = value if isinstance(value, list) else value.split(field.get("separator", ","))
                return _set(items if isinstance(value, list) else [item.strip() for item in items if item.strip()])
            case _:
                return _instant(self._moment(value, field.get("format")))

    def _plain(self, value: Any) -> Value:
        match value:
            case bool():
                return Value(flag=value)
            case int():
                return Value(number=value) if abs(value) <= _EXACT else Value(decimal=str(value))
            case float():
                return Value(number=value)
            case Decimal():
                return Value(decimal=str(value))
            case str():
                return Value(text=value)
            case datetime():
                return _instant(self._moment(value, None))
            case date():
                return Value(date=value.isoformat())
            case _:
                return _set(value)

    def _moment(self, value: Any, form: str | None) -> datetime:
        if isinstance(value, int):
            unit = {"s": 1_000_000, "ms": 1_000, "us": 1}[form or "s"]
            return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=value * unit)
        if isinstance(value, str):
            value = datetime.strptime(value, form) if form else datetime.fromisoformat(value)
        elif not isinstance(value, datetime):
            value = datetime.combine(value, time())
        return value if value.tzinfo else self._local(value)

    def _local(self, wall: datetime) -> datetime:
        """Returns the instant of a local time: later by the length of a gap, and the first of two."""
        # Python reads a time in a gap with the offset before it, so the time becomes later.
        return wall.replace(tzinfo=self.zone, fold=0).astimezone(UTC)

    def _local_day(self, value: datetime) -> str:
        return (value.astimezone(self.zone) if value.tzinfo else value).date().isoformat()


def text_of(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime():
            text = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
            whole, _, fraction = text.removesuffix("+00:00").partition(".")
            return whole + (f".{fraction.rstrip('0')}" if fraction.rstrip("0") else "") + "Z"
        case _:
            return str(value)


def _instant(moment: datetime) -> Value:
    value = Value()
    value.instant.FromMilliseconds((moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1))
    return value


def _set(items: list[str]) -> Value:
    return Value(set=TextSet(items=items))
