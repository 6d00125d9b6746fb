from __future__ import annotations

from pathlib import Path

import pytest

from quanyu.cli.demo.server import MARK, running, serve_demo
from quanyu.runtime.errors import DomainError, FailedPrecondition


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "orders.csv"
    kept.write_text("precious")
    with pytest.raises(FailedPrecondition, match="holds something other"), serve_demo(tmp_path):
        pass
    assert kept.read_text() == "precious"


def test_a_server_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    """Another version's folder: the server says so."""
    (tmp_path / "VERSION").write_text("99\n")
    with pytest.raises(DomainError, match="layout version '99'"), running(tmp_path):
        pass


def test_a_former_demos_folder_is_emptied(tmp_path: Path) -> None:
    (tmp_path / MARK).write_text("")
    (tmp_path / "old").write_text("")
    with serve_demo(tmp_path) as address:
        assert address.startswith("127.0.0.1:")
        assert not (tmp_path / "old").exists()
        assert (tmp_path / MARK).exists()
