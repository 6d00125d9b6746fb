"""The encoder in the core against a slow reference encoder of docs/import.md."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.api.event.v1.event_pb2 import Record
from quanyu.api.ingestion.v1.ingestion_pb2 import IngestRequest
from quanyu.engine import InvalidError, RecordEncoder
from tests.seed import examples
from tests.unit.engine.reference_encoder import ReferenceEncoder

EVENT = {
    "records": "event",
    "source": "s",
    "id": "{row}",
    "type": "order",
    "occurred_at": "at",
    "identifiers": [{"namespace": "card", "value": "{card}"}],
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# Python counts some control characters as white space, Unicode does not.
PRINTED = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
MOMENT = st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)).map(lambda t: t.replace(microsecond=0))
# An Arrow type, its values, and the conversions (`as`) that accept it.
COLUMNS: list[tuple[pa.DataType, st.SearchStrategy[Any], tuple[str | None, ...]]] = [
    (pa.bool_(), st.booleans(), (None, "text", "flag")),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1), (None, "text", "number", "decimal")),
    (pa.uint8(), st.integers(0, 255), (None, "text", "number", "decimal")),
    (pa.int32(), st.integers(0, 1), ("flag",)),
    (
        pa.float64(),
        st.floats(-1e6, 1e6).map(lambda x: x + 0.0).filter(lambda x: x.is_integer() or abs(x) > 1e-4),
        (None, "text", "number"),
    ),
    (pa.decimal128(12, 2), st.decimals(-(10**9), 10**9, places=2), (None, "text", "number", "decimal")),
    (pa.string(), TEXT, (None, "text")),
    (pa.large_string(), TEXT, (None, "text")),
    (pa.dictionary(pa.int32(), pa.string()), TEXT, (None, "text")),
    (pa.string(), st.decimals(-(10**9), 10**9, places=3).map(lambda d: f"{d:f}"), ("number", "decimal")),
    (pa.string(), st.sampled_from(["true", "false", "1", "0"]), ("flag",)),
    (pa.string(), st.dates().map(str), ("date",)),
    (pa.string(), st.sampled_from(["02-29", "12-31"]), ("date",)),
    (pa.string(), st.lists(PRINTED).map(",".join), ("set",)),
    (pa.string(), MOMENT.map(lambda t: t.isoformat() + "Z"), ("instant",)),
    (pa.string(), MOMENT.map(lambda t: t.isoformat(" ")), ("instant",)),
    (pa.timestamp("ms"), MOMENT, (None, "date", "instant")),
    (pa.timestamp("us", tz="UTC"), MOMENT.map(lambda t: t.replace(tzinfo=UTC)), (None, "text", "date", "instant")),
    (pa.date32(), st.dates(date(1971, 1, 1), date(2037, 1, 1)), (None, "text", "date", "instant")),
    (pa.list_(pa.string()), st.lists(TEXT, max_size=3), (None, "set")),
    (pa.null(), st.none(), (None, "text", "number", "instant")),
]
ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"])


def encode(mapping: dict[str, Any], table: pa.Table, first: int = 0) -> list[Record]:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    requests = RecordEncoder(json.dumps(mapping).encode(), "shop").encode(bytes(sink.getvalue()), first)
    parsed = [IngestRequest.FromString(request) for request in requests]
    assert all(request.workspace == "shop" for request in parsed)
    assert all(len(request) <= 4 * 2**20 for request in requests)
    return [record for request in parsed for record in request.records]


@examples(150)
@given(st.data())
def test_a_column_becomes_the_value_of_the_reference_encoder(data: st.DataObject) -> None:
    kind, values, conversions = data.draw(st.sampled_from(COLUMNS))
    column = data.draw(st.lists(st.none() | values, min_size=1, max_size=8))
    conversion = data.draw(st.sampled_from(conversions))
    field = {"column": "c"} | ({} if conversion is None else {"as": conversion})
    mapping = {"records": "item", "catalog": "goods", "key": "k{row}", "attributes": {"a": field}}
    mapping |= {"zone": data.draw(ZONES)}
    first = data.draw(st.integers(0, 10**9))
    reference = ReferenceEncoder(mapping)
    array = pa.array(column, kind)
    # The values come from Arrow, where a decimal has no negative zero.
    expected = [reference.record({"c": value}, first + at) for at, value in enumerate(array.to_pylist())]
    assert encode(mapping, pa.table({"c": array}), first) == expected


@examples(100)
@given(st.data())
def test_rows_become_events_and_profiles(data: st.DataObject) -> None:
    names = ["a", "b", "列"]
    template = st.lists(st.sampled_from(["x", ":", "{{", "}}", "{a}", "{b}", "{列}", "{row}"]), max_size=4).map("".join)
    records = data.draw(st.sampled_from(["event", "profile"]))
    mapping = {
        "records": records,
        "source": "till",
        "id": "{row}-" + data.draw(template.filter(lambda t: "{a}" not in t and "{b}" not in t and "{列}" not in t)),
        "occurred_at": data.draw(st.sampled_from(["at", {"column": "seconds", "format": "s"}])),
        "identifiers": [{"namespace": "n" + data.draw(template), "value": "v" + data.draw(template)} for _ in range(2)],
    }
    if records == "event":
        mapping |= {"type": "order", "channel": "c" + data.draw(template), "properties": {"b": "b"}}
    values = {"a": TEXT, "b": st.integers(-99, 99), "列": st.floats(-9, 9).map(lambda x: round(x, 1) + 0.0)}
    rows = data.draw(st.lists(st.fixed_dictionaries({name: st.none() | values[name] for name in names}), max_size=7))
    moments = data.draw(st.lists(MOMENT, min_size=len(rows), max_size=len(rows)))
    rows = [
        row | {"at": t, "seconds": int(t.replace(tzinfo=UTC).timestamp())} for row, t in zip(rows, moments, strict=True)
    ]
    kinds = {"a": pa.string(), "b": pa.int16(), "列": pa.float64(), "at": pa.timestamp("ns"), "seconds": pa.int64()}
    reference = ReferenceEncoder(mapping)
    expected = [reference.record(row, at) for at, row in enumerate(rows)]
    assert encode(mapping, pa.Table.from_pylist(rows, pa.schema(kinds))) == expected


def test_a_local_time_in_a_gap_is_later_and_a_repeated_one_is_the_first() -> None:
    walls = ["2017-03-12 02:30:00", "2017-11-05 01:30:00"]
    mapping = EVENT | {"zone": "America/New_York", "identifiers": [{"namespace": "card", "value": "1"}]}
    got = [record.event.occurred_at.ToDatetime() for record in encode(mapping, pa.table({"at": walls}))]
    assert got == [datetime(2017, 3, 12, 7, 30), datetime(2017, 11, 5, 5, 30)]


def test_a_time_is_read_in_its_format() -> None:
    mapping = EVENT | {"occurred_at": {"column": "at", "format": "%d/%m/%Y %H:%M"}, "zone": "Asia/Shanghai"}
    (record,) = encode(mapping, pa.table({"at": ["16/06/2025 08:00"], "card": ["1"]}))
    assert record.event.occurred_at.ToDatetime() == datetime(2025, 6, 16)


def test_times_are_truncated_to_milliseconds() -> None:
    at = pa.array([1_500_000_000_123_999_999], pa.timestamp("ns"))
    (record,) = encode(EVENT, pa.table({"at": at, "card": ["1"]}))
    assert record.event.occurred_at.ToMilliseconds() == 1_500_000_000_123


def test_large_batches_are_split_into_requests_of_four_mebibytes() -> None:
    count = 50_000
    table = pa.table({"at": pa.array([0] * count, pa.timestamp("s")), "card": ["c" * 200] * count})
    records = encode(EVENT, table)
    assert [record.event.id for record in records] == [str(n) for n in range(count)]


BAD_MAPPINGS: list[tuple[dict[str, Any], str]] = [
    ({"records": "thing"}, "records"),
    ({"records": "item", "catalog": "c"}, "key"),
    (EVENT | {"colour": "red"}, "colour"),
    (EVENT | {"catalog": "c"}, "catalog"),
    (EVENT | {"identifiers": []}, "identifiers"),
    (EVENT | {"identifiers": [{"namespace": "card"}]}, "identifiers"),
    (EVENT | {"zone": "Mars/Olympus"}, "zone"),
    (EVENT | {"id": "{row"}, "id"),
    (EVENT | {"properties": {"a": {"as": "text"}}}, "column"),
    (EVENT | {"properties": {"a": {"column": "a", "as": "colour"}}}, "colour"),
    (EVENT | {"properties": {"a": {"column": "a", "as": "text", "format": "%d"}}}, "format"),
    (EVENT | {"properties": {"a": {"column": "a", "separator": ";"}}}, "separator"),
    (EVENT | {"occurred_at": 7}, "occurred_at"),
]


@pytest.mark.parametrize(("mapping", "expected_message"), BAD_MAPPINGS)
def test_the_error_of_a_wrong_mapping_names_its_field(mapping: dict[str, Any], expected_message: str) -> None:
    with pytest.raises(InvalidError, match=expected_message):
        RecordEncoder(json.dumps(mapping).encode(), "shop")


@pytest.mark.parametrize("mapping", [b"", b"[]", b"{", b"\xff"])
def test_a_text_that_is_not_a_mapping_is_rejected(mapping: bytes) -> None:
    with pytest.raises(InvalidError):
        RecordEncoder(mapping, "shop")


BAD_VALUES: list[tuple[str, pa.Array, str]] = [
    ("number", pa.array(["1", "2", "1,5"]), "1,5"),
    ("number", pa.array([True] * 3), "true"),
    ("flag", pa.array(["1", "0", "yes"]), "yes"),
    ("flag", pa.array([0, 1, 2]), "2"),
    ("date", pa.array(["2026-01-01", "2026-01-02", "2026-02-30"]), "2026-02-30"),
    ("instant", pa.array(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "soon"]), "soon"),
    ("text", pa.array([["a"]] * 3), "list"),
    ("set", pa.array([1, 2, 3]), "set"),
]


@pytest.mark.parametrize(("kind", "column", "expected_message"), BAD_VALUES)
def test_the_error_of_an_invalid_value_names_value_column_and_row(
    kind: str, column: pa.Array, expected_message: str
) -> None:
    mapping = {"records": "item", "catalog": "c", "key": "{row}", "attributes": {"a": {"column": "price", "as": kind}}}
    with pytest.raises(InvalidError, match=expected_message) as caught:
        encode(mapping, pa.table({"price": column}), 100)
    assert "price" in str(caught.value)
    # An invalid type of a column is an error in every row.
    if isinstance(column[0].as_py(), str) or kind == "flag":
        assert "102" in str(caught.value)


MISSING: list[tuple[Callable[[], pa.Table], str]] = [
    (lambda: pa.table({"at": pa.array([0], pa.timestamp("s"))}), "card"),
    (lambda: pa.table({"card": ["1"]}), "at"),
]


@pytest.mark.parametrize(("table", "expected_message"), MISSING)
def test_the_error_of_a_missing_column_names_the_column(table: Callable[[], pa.Table], expected_message: str) -> None:
    with pytest.raises(InvalidError, match=expected_message):
        encode(EVENT, table())


def test_the_error_of_a_missing_id_names_row_and_column() -> None:
    table = pa.table({"at": pa.array([0, 0], pa.timestamp("s")), "card": ["1", None]})
    with pytest.raises(InvalidError, match="card") as caught:
        encode(EVENT | {"id": "{card}"}, table, 7)
    assert "8" in str(caught.value)


def test_bytes_that_are_not_an_arrow_stream_are_rejected() -> None:
    encoder = RecordEncoder(json.dumps(EVENT).encode(), "shop")
    with pytest.raises(InvalidError):
        encoder.encode(b"not arrow", 0)


def test_decimals_keep_their_digits() -> None:
    mapping = {"records": "item", "catalog": "c", "key": "{row}", "attributes": {"a": "price"}}
    column = pa.array([Decimal("1.50"), Decimal("-0.05")], pa.decimal128(9, 2))
    assert [r.item.attributes["a"].decimal for r in encode(mapping, pa.table({"price": column}))] == ["1.50", "-0.05"]
