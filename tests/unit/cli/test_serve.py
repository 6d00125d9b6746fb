"""`quanyu serve` runs the selected services until it is asked to stop."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from quanyu.cli import main
from tests.integration.server_process import address_of, serve, stopped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_its_address_and_stops_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    process = serve(tmp_path, "ingestion")
    host, _, port = address_of(process).rpartition(":")
    socket.create_connection((host, int(port))).close()
    process.send_signal(number)
    assert stopped(process)[0] == 0


def test_an_unknown_service_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["serve", "--service", "billing", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "'billing' is not one of 'ingestion', 'identity', 'tagging', 'delivery'" in result.output
    assert not list(tmp_path.iterdir())
