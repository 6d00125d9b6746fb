"""`quanyu rule preview`: whom a rule means, counted."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Clock
from quanyu.rulecli.sources import Source
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.instants import timestamp


def preview(source: Source, text: str, as_of: str | None, known_at: int | None) -> pb.PreviewRuleResponse:
    """InvalidInput where the rule is wrong, or `as_of` is no time; local time is the workspace's."""
    asked = pb.AsOf(known_at=known_at)
    if as_of is not None:
        asked.instant.CopyFrom(_instant(as_of, source.reading().clock))
    answer: pb.PreviewRuleResponse = source.ask("PreviewRule", text=text, as_of=asked)
    return answer


def print_preview(answer: pb.PreviewRuleResponse, clock: Clock) -> None:
    """Instants are shown in the clock's zone."""
    console = Console()
    for counted in answer.sets:
        console.print(_table(counted))
    for sentence in answer.explanation:
        console.print(escape(sentence))
    basis = answer.basis
    for window in basis.windows:
        instants = {end: getattr(window, end) for end in ("from", "to") if window.HasField(end)}
        ends = [_local(instants[end], clock) if end in instants else "open" for end in ("from", "to")]
        console.print(escape(f"{window.text}: {' to '.join(dict.fromkeys(ends))}"))
    console.print(
        f"as of {_local(basis.as_of, clock)} ({clock.zone}); {answer.universe:,} people known; "
        f"raw log folded up to {basis.epoch.raw_offset:,}; {basis.milliseconds:.1f} ms"
    )


def _table(counted: pb.SetCount) -> Table:
    table = Table(title=escape(counted.name), title_justify="left")
    table.add_column("clause", overflow="fold")
    table.add_column("people", justify="right")
    table.add_column("unknown", justify="right")
    for clause in counted.clauses:
        table.add_row(escape(clause.text), f"{clause.matched:,}", f"{clause.unknown:,}")
    table.add_section()
    table.add_row("[bold]all together", f"[bold]{counted.matched:,}", f"{counted.unknown:,}")
    return table


def _instant(text: str, clock: Clock) -> Timestamp:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--as-of {text!r}: write a date or time such as 2026-01-31 or 2026-01-31T08:00") from None
    if not 1900 <= moment.year <= 9998:
        raise InvalidInput(f"--as-of {text!r}: it lies outside the years 1900 to 9998")
    return timestamp(clock.wall_ms(moment) if moment.tzinfo is None else int(moment.timestamp() * 1000))


def _local(instant: Timestamp, clock: Clock) -> str:
    return clock.local(instant.ToMilliseconds()).isoformat(sep=" ", timespec="seconds")
