"""Texts of the maximum length are accepted or rejected in bounded memory and time, with a short answer."""

import subprocess
import sys

import pytest

from tests.unit.dsl.hostile import SHAPES, SIZE
from tests.waiting import PATIENCE


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hostile_text_is_accepted_or_rejected_within_limits(shape: str) -> None:
    assert len(SHAPES[shape]()) <= SIZE
    read = subprocess.run(
        [sys.executable, "-m", "tests.unit.dsl.hostile", shape], capture_output=True, text=True, timeout=PATIENCE
    )
    assert read.returncode == 0, read.stderr[-2_000:]
    answer, length = read.stdout.split()
    assert answer in ("read", "syntax", "name", "type", "value", "version", "cycle", "limit", "not-compiled-yet")
    assert int(length) < 5_000
