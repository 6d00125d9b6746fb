"""Errors of the engine: their classes and attributes, on which callers rely."""

from __future__ import annotations

from pathlib import Path

import pytest

from quanyu.dsl import serialize_plan
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.literals import TextValue
from quanyu.engine import (
    CancelledError,
    CoreError,
    CorruptError,
    DiskFullError,
    Index,
    InvalidError,
    InvalidPatternError,
    LocalLog,
    LockedError,
    OverBudgetError,
    StorageError,
    UnsupportedError,
)


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        *((kind, CoreError) for kind in (InvalidError, UnsupportedError, CorruptError, StorageError)),
        *((kind, CoreError) for kind in (LockedError, OverBudgetError, CancelledError)),
        (InvalidPatternError, InvalidError),
        (DiskFullError, StorageError),
    ],
)
def test_each_class_has_its_base(kind: type[Exception], base: type[Exception]) -> None:
    assert kind.__base__ is base


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(", "unclosed group"),
        ("error: (", "unclosed group"),
        ("x{2,1}", "invalid repetition count range, the start must be <= the end"),
        ("a{1000}{1000}", "Compiled regex exceeds size limit of 1048576 bytes."),
    ],
)
def test_an_invalid_pattern_has_the_reason(tmp_path: Path, pattern: str, reason: str) -> None:
    cond = nodes.TextTest("matches", nodes.Literal(TextValue("")), pattern)
    plan = serialize_plan(0, [nodes.Root("any", cond, None)])
    with pytest.raises(InvalidPatternError) as caught:
        Index(str(tmp_path / "index")).verdicts(plan, [])
    assert (caught.value.pattern, caught.value.reason) == (pattern, reason)
    assert str(caught.value) == f'plan.roots[0].cond.value: "{pattern}" is not a valid RE2 pattern: {reason}'


def test_a_folder_that_cannot_be_created_is_a_storage_error_but_not_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        LocalLog.create(str(tmp_path / "file" / "log"))
    assert not isinstance(caught.value, DiskFullError)
