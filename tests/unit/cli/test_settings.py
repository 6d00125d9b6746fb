"""`quanyu settings` lists every variable with its default."""

from __future__ import annotations

from click.testing import CliRunner

from quanyu.cli import main
from quanyu.runtime.settings import describe_settings


def test_every_variable_has_one_line() -> None:
    result = CliRunner().invoke(main, ["settings"])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split("  ")[0] for line in lines] == [variable for variable, _, _ in describe_settings()]
    (threads,) = (line for line in lines if line.startswith("QUANYU_THREADS "))
    assert threads.endswith("Default: 32.")
    (port,) = (line for line in lines if line.startswith("QUANYU_PORT "))
    assert port.endswith("Default: unset.")
