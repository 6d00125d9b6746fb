"""Mappings: their columns, and the errors of wrong ones."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.importer.mapping import Mapping, load_mapping, parse_mapping
from quanyu.runtime.errors import InvalidInput

EXAMPLE = """
records: event
source: tills
id: '{basket}-{row}-{{x}}'
type: '{kind}'
occurred_at: {column: seconds, format: s}
channel: store
identifiers:
  - {namespace: 'shop:{shop}', value: '{card}'}
properties:
  amount: amount
  product: {column: product, as: text}
  tags: {column: tags, as: set, separator: ';'}
"""
COLUMN = st.text("abcxyz_ 列", min_size=1).filter(lambda name: name != "row")


def test_columns_come_from_templates_and_fields() -> None:
    mapping = parse_mapping(EXAMPLE, "example")
    assert set(mapping.columns()) == {"basket", "kind", "seconds", "shop", "card", "amount", "product", "tags"}
    assert mapping.text_columns() == {"basket", "kind", "shop", "card", "product", "tags"}
    assert mapping.integer_columns() == {"seconds"}


def test_times_without_a_unit_are_read_as_text() -> None:
    mapping = parse_mapping("records: event\noccurred_at: at", "example")
    assert mapping.text_columns() == {"at"}


@given(st.lists(COLUMN, min_size=1, unique=True), st.data())
def test_every_column_of_a_template_is_read_once_and_as_text(columns: list[str], data: st.DataObject) -> None:
    order = data.draw(st.lists(st.sampled_from(columns), min_size=1))
    mapping = Mapping("made", {"records": "item", "key": "{{".join(f"{{{name}}}" for name in order) + "{row}"})
    assert mapping.columns() == list(dict.fromkeys(order))
    assert mapping.text_columns() == set(order)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_values_of_any_type_are_passed_to_the_encoder(anything: object) -> None:
    contents = dict.fromkeys(("id", "identifiers", "properties", "attributes", "occurred_at"), anything)
    mapping = Mapping("made", contents)
    assert isinstance(mapping.columns(), list)
    assert json.loads(mapping.encoded()) == contents


@pytest.mark.parametrize(
    ("text", "message"), [("records: [event", "line 1"), ("- records", "`records:`"), ("", "`records:`")]
)
def test_a_text_that_is_not_a_mapping_is_rejected_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=message) as caught:
        load_mapping(path)
    assert str(path) in caught.value.message


def test_a_mapping_that_cannot_be_read_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_mapping(tmp_path / "missing.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type: 2026-01-31", "type: YAML reads a date here"),
        ("properties: {a: {column: !!binary aGk=}}", r"properties\.a\.column: YAML reads a bytes here"),
        ("identifiers: [{value: .inf}]", r"identifiers\[0\]\.value: YAML reads a float here"),
        ("records: !!set {a, b}", "records: YAML reads a set here"),
        ("1: order", "1 is not a text; put it in quotes"),
        ("properties: {2026: a}", "properties: 2026 is not a text"),
        ("type: a\ntype: b", r"the key type is repeated\n.*line 2"),
        ("records: &itself [*itself]", "more than 10,000 values"),
        (
            "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{m}, *{m}]\n" for m, n in pairwise("abcdefghijklmnopqrstuvw")),
            "10,000",
        ),
        ("[" * 5_000, "not YAML"),
    ],
)
def test_a_value_that_json_does_not_have_is_rejected_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_mapping(text, "example")
