"""`quanyu rule preview`: whom a rule means, counted."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Clock


def print_preview(answer: pb.PreviewRuleResponse, clock: Clock) -> None:
    """Instants are shown in the clock's zone."""
    console = Console()
    for counted in answer.sets:
        console.print(_table(counted))
        for one in counted.sample:
            facts = ", ".join(f"{fact.name} = {fact.value or 'unknown'}" for fact in one.facts)
            console.print(escape(f"person {one.person}: {facts}"))
    for compared in answer.comparisons:
        moves = f"{compared.entering:,} enter, {compared.leaving:,} leave, {compared.staying:,} stay"
        console.print(escape(f"{compared.name}, against version {compared.version}: {moves}"))
    for sentence in (*answer.notes, *answer.explanation):
        console.print(escape(sentence))
    basis = answer.basis
    for window in basis.windows:
        instants = {end: getattr(window, end) for end in ("from", "to") if window.HasField(end)}
        ends = [local(instants[end], clock) if end in instants else "open" for end in ("from", "to")]
        console.print(escape(f"{window.text}: {' to '.join(dict.fromkeys(ends))}"))
    console.print(
        f"as of {local(basis.as_of, clock)} ({clock.zone}); {answer.universe:,} people known; "
        f"raw log folded up to {basis.epoch.raw_offset:,}; {basis.milliseconds:.1f} ms"
    )


def _table(counted: pb.SetCount) -> Table:
    table = Table(title=escape(counted.name), title_justify="left")
    table.add_column("clause", overflow="fold")
    is_funnel = any(clause.HasField("remaining") for clause in counted.clauses)
    for name in ("people", "unknown", *(["left"] if is_funnel else [])):
        table.add_column(name, justify="right")
    for clause in counted.clauses:
        left = [f"{clause.remaining:,}"] if is_funnel else []
        table.add_row(escape(clause.text), f"{clause.matched:,}", f"{clause.unknown:,}", *left)
    table.add_section()
    table.add_row("[bold]all together", f"[bold]{counted.matched:,}", f"{counted.unknown:,}")
    return table


def local(instant: Timestamp, clock: Clock) -> str:
    """In the clock's zone, to the second."""
    return clock.local_time(instant.ToMilliseconds()).isoformat(sep=" ", timespec="seconds")
