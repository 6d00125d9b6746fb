"""What every `quanyu rule` command is given: a rule's text, where it is read, and how the answer is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from google.protobuf.timestamp_pb2 import Timestamp

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.languages import MESSAGES
from quanyu.cli.rule.sources import (
    Source,
    of_catalog,
    of_folder,
    of_nothing,
    of_server,
)
from quanyu.dsl import Language
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.runtime.instants import timestamp
from quanyu.runtime.settings import load_settings
from quanyu.runtime.storage.data_folder import DataFolder

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Written:
    """A rule as it was given; `name` is that of its file, or empty."""

    name: str
    text: str


class RuleType(click.ParamType[Written]):
    """A text, a file that holds one, or `-` for standard input."""

    name = "rule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Written:
        if isinstance(value, Written):
            return value
        if value == "-":
            return Written("", click.open_file("-", encoding="utf-8").read())
        if os.path.isfile(value):
            try:
                return Written(value, Path(value).read_text(encoding="utf-8-sig"))
            except (OSError, UnicodeDecodeError) as error:
                self.fail(f"{value} cannot be read: {error}", param, ctx)
        if value.endswith(".rule"):
            self.fail(f"there is no file {value}", param, ctx)
        return Written("", value)


RULE = click.argument("rule", type=RuleType(), metavar="RULE")
JSON = click.option("--json", "as_json", is_flag=True, help="Prints the response message of the call, as JSON.")
AS_OF = click.option(
    "--as-of", help="Instant, such as 2026-01-31 or 2026-01-31T08:00 in the workspace's zone; default now."
)
KNOWN_AT = click.option("--known-at", type=click.IntRange(0, 2**63 - 1), help="Raw offset: leaves out what came later.")
KNOWN_BEFORE = click.option("--known-before", help="Instant: leaves out what had not come before it.")
_WHERE = (
    click.option("--server", metavar="HOST:PORT", help="A running server (with --workspace)."),
    click.option("--data", type=click.Path(path_type=Path), help="Data folder (QUANYU_DATA; default ./data)."),
    click.option("--catalog", type=click.Path(path_type=Path), help="File with names and types; it has no people."),
    click.option("--workspace", help="Which one of the server or data folder."),
)


def _language(ctx: click.Context, param: click.Parameter, value: Language) -> pb.Language:
    return MESSAGES[value]


LANGUAGE = click.option(
    "--lang",
    "language",
    type=click.Choice(list(MESSAGES)),
    default="en",
    show_default=True,
    callback=_language,
    help="English or Chinese.",
)


def as_of_message(
    source: Source, as_of: str | None, known_at: int | None = None, known_before: str | None = None
) -> pb.AsOf:
    """What the options of those names mean in the workspace. InvalidInput for what is no time."""
    asked = pb.AsOf(known_at=known_at)
    if as_of is not None:
        asked.instant.CopyFrom(_instant("--as-of", as_of, source))
    if known_before is not None:
        asked.known_before.CopyFrom(_instant("--known-before", known_before, source))
    return asked


def _instant(option: str, text: str, source: Source) -> Timestamp:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{option} {text!r}: write a date or time such as 2026-01-31 or 2026-01-31T08:00"
        raise InvalidInput(message) from None
    if not 1900 <= moment.year <= 9998:
        raise InvalidInput(f"{option} {text!r}: it lies outside the years 1900 to 9998")
    if moment.tzinfo is None:
        return timestamp(source.evaluation_now().clock.wall_ms(moment))
    return timestamp(int(moment.timestamp() * 1000))


def where_options(command: F) -> F:
    """The command takes them as `where`, for `one_source`."""
    for option in reversed(_WHERE):
        command = option(command)
    return command


@contextmanager
def one_source(**where: Any) -> Iterator[Source]:
    """What was chosen; a data folder's workspace may be left out where there is only one."""
    with sources(is_one=True, **where) as found:
        yield found[0]


@contextmanager
def source_or_none(**where: Any) -> Iterator[Source]:
    """What was chosen; where nothing was, one without any names."""
    if any(place is not None for place in where.values()):
        with one_source(**where) as found:
            yield found
    else:
        yield of_nothing(load_settings(os.environ))


@contextmanager
def sources(
    *, server: str | None, data: Path | None, catalog: Path | None, workspace: str | None, is_one: bool = False
) -> Iterator[list[Source]]:
    """What was chosen: of a data folder all its workspaces, unless one of them was named."""
    if sum(place is not None for place in (server, data, catalog)) > 1:
        raise click.UsageError("give one of --server, --data and --catalog")
    if catalog is not None and workspace is not None:
        raise click.UsageError("a catalog is one workspace: leave --workspace out")
    settings = load_settings(os.environ, data=data)
    if catalog is not None:
        yield [of_catalog(settings, catalog)]
    elif server is not None:
        if workspace is None:
            raise click.UsageError("--server needs --workspace")
        with of_server(settings, server, workspace) as found:
            yield [found]
    else:
        there = DataFolder.existing(settings.data)
        chosen = _workspaces(there, workspace)
        if is_one and len(chosen) > 1:
            raise click.UsageError(f"choose a workspace with --workspace; there are: {', '.join(chosen)}")
        yield [of_folder(settings, there, name) for name in chosen]


def _workspaces(data: DataFolder, asked: str | None) -> list[str]:
    there = data.workspaces()
    if not there or (asked is not None and asked not in there):
        raise NotFound(f"there is no such workspace; in {data.path} there are: {', '.join(there) or 'none yet'}")
    return [asked] if asked is not None else there
