"""Domain errors: the class of an engine error decides which one callers get."""

from __future__ import annotations

import pytest

from quanyu import engine
from quanyu.engine import CoreError, DiskFullError, StorageError
from quanyu.runtime import errors
from quanyu.runtime.errors import DomainError, to_domain_error

MEANINGS = {
    "InvalidError": (errors.InvalidInput, "INVALID_INPUT"),
    "InvalidPatternError": (errors.InvalidInput, "INVALID_INPUT"),
    "UnsupportedError": (errors.Unsupported, "UNSUPPORTED"),
    "CorruptError": (errors.DataLoss, "DAMAGED_FILE"),
    "LockedError": (errors.FailedPrecondition, "DATA_FOLDER_IN_USE"),
    "OverBudgetError": (errors.ResourceExhausted, "QUERY_BUDGET"),
    "CancelledError": (errors.Cancelled, "CANCELLED"),
    "StorageError": (errors.Unavailable, "STORAGE"),
    "DiskFullError": (errors.ResourceExhausted, "DISK_FULL"),
    "CoreError": (errors.Unavailable, "STORAGE"),
}


def test_the_table_has_every_error_of_the_engine() -> None:
    assert set(MEANINGS) == {name for name in engine.__all__ if name.endswith("Error")}


@pytest.mark.parametrize("name", MEANINGS)
def test_an_error_of_the_engine_becomes_a_domain_error(name: str) -> None:
    raised: CoreError = getattr(engine, name)("log/7: broken")
    found = to_domain_error(raised)
    assert (type(found), found.reason) == MEANINGS[name]
    assert found.message.startswith("log/7: broken")


def test_only_the_class_says_that_the_disk_is_full() -> None:
    assert to_domain_error(DiskFullError("log/7: sin espacio")).message.endswith("; free some space and try again")
    assert to_domain_error(StorageError("a file named 'No space left'")).reason == "STORAGE"


def test_each_status_code_means_one_kind_of_error() -> None:
    codes = [kind.code for kind in DomainError.__subclasses__()]
    assert len(codes) == len(set(codes))


def test_reason_and_metadata_are_kept() -> None:
    error = errors.NotFound("no rule vip", reason="UNKNOWN_RULE", name="vip")
    assert (str(error), error.message, error.reason, error.metadata) == (
        "no rule vip",
        "no rule vip",
        "UNKNOWN_RULE",
        {"name": "vip"},
    )
    assert errors.NotFound("gone").reason == "NOT_FOUND"
