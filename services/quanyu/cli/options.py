"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

DATA = click.option("--data", type=click.Path(path_type=Path), help="Data folder (QUANYU_DATA; default ./data).")
