"""`quanyu migrate` makes the tables of a data folder, and reports their revision."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from quanyu.cli import main


def test_migrating_twice_reports_the_same_revision(tmp_path: Path) -> None:
    first, second = (CliRunner().invoke(main, ["migrate", "--data", str(tmp_path)]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert first.output == second.output
    assert first.output.startswith("the database is at revision ")
    assert (tmp_path / "quanyu.db").stat().st_size


def test_a_folder_that_is_not_ours_is_one_message_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = CliRunner().invoke(main, ["migrate", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "not a Quanyu data folder" in result.output
