"""Arrow uses the system's allocator, unless the environment names another one."""

from __future__ import annotations

import os

import pytest

from quanyu.runtime.memory import return_freed_memory

VARIABLE = "ARROW_DEFAULT_MEMORY_POOL"


@pytest.mark.parametrize(("before", "after"), [(None, "system"), ("mimalloc", "mimalloc")])
def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch, before: str | None, after: str) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if before is not None:
        monkeypatch.setenv(VARIABLE, before)
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())  # A system without glibc.
    return_freed_memory()
    assert os.environ[VARIABLE] == after
