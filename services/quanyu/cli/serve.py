"""`quanyu serve`: runs services until it is asked to stop."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from pathlib import Path

import click

from quanyu.cli.options import DATA
from quanyu.runtime.logging_setup import set_up_logging
from quanyu.runtime.process import Opener, Process
from quanyu.runtime.settings import SERVICES, load_settings

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


@click.command(epilog="All settings: quanyu settings")
@click.option(
    "--service",
    "services",
    type=click.Choice(SERVICES),
    multiple=True,
    help="Runs only these services (default: all four).",
)
@DATA
@click.option("--port", type=int, help="Port to listen on (QUANYU_PORT; default 7400).")
@click.option("--host", help="Address to listen on (QUANYU_HOST; default 127.0.0.1).")
def serve(services: tuple[str, ...], data: Path | None, port: int | None, host: str | None) -> None:
    """Runs the services until SIGTERM or SIGINT."""
    settings = load_settings(os.environ, data=data, port=port, host=host)
    set_up_logging(settings)
    # Block the signals before any thread starts: only `sigwait` takes them, and an early signal waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    selected = [service for service in SERVICES if not services or service in services]
    process = Process(settings, {service: _import_opener(service) for service in selected})
    process.start()
    click.echo(f"quanyu serves {', '.join(selected)} on {process.address} (data in {settings.data})")
    signal.sigwait(STOP_SIGNALS)
    process.stop()


def _import_opener(service: str) -> Opener:
    """Imports one service, so that a process does not load the libraries of the services that it does not run."""
    opener: Opener = import_module(f"quanyu.{service}.service").open_service
    return opener
