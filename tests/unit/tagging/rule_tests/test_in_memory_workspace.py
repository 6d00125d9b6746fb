"""Workspaces in memory: their people, rejected records and files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from quanyu.api.event.v1 import event_pb2
from quanyu.engine import InvalidError
from quanyu.runtime.errors import Unavailable
from quanyu.tagging.rule_tests.in_memory_workspace import build_in_memory_workspace
from tests.unit.tagging.sample_workspace import NAMES, SCHEMA, in_memory_shop


def test_records_become_people_of_the_index() -> None:
    shop = in_memory_shop()
    persons = [shop.person(event_pb2.Identifier(namespace="card", value=name)) for name in NAMES]
    assert len(set(persons)) == len(NAMES)
    assert 0 not in persons
    assert shop.person(event_pb2.Identifier(namespace="card", value="nobody")) == 0


def test_invalid_records_are_returned_with_their_place() -> None:
    event = event_pb2.Event(source="till", id="1", type="refund")
    workspace = build_in_memory_workspace(SCHEMA.SerializeToString(), [event_pb2.Record(event=event)])
    assert [reject.index for reject in workspace.rejects] == [0]


def test_an_invalid_schema_is_rejected() -> None:
    twice = event_pb2.Schema(attributes=[event_pb2.Field(name="a", type=event_pb2.TYPE_TEXT)] * 2)
    with pytest.raises(InvalidError):
        build_in_memory_workspace(twice.SerializeToString())


def test_no_files_remain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    in_memory_shop()
    with pytest.raises(InvalidError):
        build_in_memory_workspace(b"\xff")
    assert list(tmp_path.iterdir()) == []


def test_the_error_of_a_full_disk_names_tmpdir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(Unavailable, match="set TMPDIR to a folder with free space"):
        build_in_memory_workspace(b"")
