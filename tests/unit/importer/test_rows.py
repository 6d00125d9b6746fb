"""Rows of CSV, NDJSON and Parquet files."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.importer.mapping import Mapping
from quanyu.importer.rows import Rows, open_rows
from quanyu.runtime.errors import InvalidInput
from tests.seed import examples

CARDS = Mapping("cards.yaml", {"records": "item", "key": "{card}", "attributes": {"points": "points"}})


def read(path: Path, mapping: Mapping = CARDS, start: int = 0) -> list[dict[str, object]]:
    return [row for _, batch in open_rows(path, mapping).starting_at(start) for row in batch.to_pylist()]


# The first conversion to Python values can import pandas, which takes seconds.
@given(st.lists(st.integers(0, 5)), st.integers(0, 30))
def test_starting_at_a_row_yields_the_rest_with_their_numbers(sizes: list[int], start: int) -> None:
    ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
    batches = [pa.record_batch({"n": pa.array(range(e - s, e))}) for e, s in zip(ends, sizes, strict=True)]
    found = list(Rows(None, iter(batches)).starting_at(start))
    assert [n for _, batch in found for n in batch["n"].to_pylist()] == list(range(start, sum(sizes)))
    assert all(batch["n"][0].as_py() == first for first, batch in found)


@examples(40)
@given(st.lists(st.tuples(st.text("0123456789", min_size=1, max_size=9), st.none() | st.integers(-99, 99)), min_size=1))
def test_all_file_formats_have_the_same_rows(rows: list[tuple[str, int | None]]) -> None:
    records = [{"card": card, "points": points} for card, points in rows]
    with tempfile.TemporaryDirectory() as folder:
        parquet, csv, ndjson = (Path(folder, f"cards.{kind}") for kind in ("parquet", "csv", "ndjson"))
        pq.write_table(pa.Table.from_pylist(records, pa.schema({"card": pa.string(), "points": pa.int64()})), parquet)
        csv.write_text("points,card\n" + "".join(f"{'' if p is None else p},{c}\n" for c, p in rows))
        ndjson.write_text("".join(json.dumps(record) + "\n" for record in records))
        assert read(parquet) == read(csv) == read(ndjson) == records
        assert read(parquet, start=1) == records[1:]


def test_the_error_of_a_missing_column_suggests_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text("cards,points\n1,2\n")
    with pytest.raises(InvalidInput, match=r"no column `card`; did you mean `cards`\?") as caught:
        open_rows(tmp_path / "cards.csv", CARDS)
    assert "cards.yaml" in caught.value.message


@pytest.mark.parametrize("name", ["cards.xlsx", "cards", "cards.csv", "cards.parquet", "cards.jsonl"])
def test_the_error_of_an_unreadable_file_names_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        open_rows(tmp_path / name, CARDS)


def test_the_error_of_a_damaged_file_names_it(tmp_path: Path) -> None:
    path = tmp_path / "cards.parquet"
    pq.write_table(pa.table({"card": [str(n) for n in range(1000)], "points": range(1000)}), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidInput, match=r"cards\.parquet: cannot be read"):
        open_rows(path, CARDS)


def test_a_csv_line_with_too_few_fields_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text("card,points\n1,2\n3\n")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read(tmp_path / "cards.csv")


def test_a_csv_file_with_a_header_only_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text("card,points\n")
    assert read(tmp_path / "cards.csv") == []


def test_only_an_empty_csv_field_is_null(tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text("card,points\nNA,1\nNULL,2\nnan,\n")
    rows = read(tmp_path / "cards.csv")
    assert [(row["card"], row["points"]) for row in rows] == [("NA", 1), ("NULL", 2), ("nan", None)]


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("cards.csv", "card\na\n".encode("utf-16"), "save it as UTF-8"),
        ("cards.csv", "卡,card,points\na,b,1\n".encode("gbk"), "save it as UTF-8"),
        ("cards.csv", b"card,card\na,b\n", "column `card` occurs 2 times"),
        ("cards.ndjson", b'{"card": "' + b"x" * 3_000_000 + b'"}\n', "one of its lines has more than 1 MiB"),
    ],
)
def test_the_error_of_an_unsupported_file_says_what_to_do(
    tmp_path: Path, name: str, contents: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(contents)
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path / name)
