"""`quanyu demo` checks its options before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from quanyu.cli import main


@pytest.mark.parametrize("people", ["0", "10000001", "many"])
def test_a_wrong_number_of_people_is_a_usage_error(tmp_path: Path, people: str) -> None:
    data = tmp_path / "demo"
    result = CliRunner().invoke(main, ["demo", "--people", people, "--data", str(data)])
    assert (result.exit_code, "--people" in result.output) == (2, True)
    assert not data.exists()


def test_a_folder_with_other_files_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("precious")
    result = CliRunner().invoke(main, ["demo", "--people", "1", "--data", str(tmp_path)])
    assert (result.exit_code, "choose an empty or new folder" in result.output) == (1, True)
