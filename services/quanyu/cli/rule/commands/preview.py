"""`quanyu rule preview`: counts the people that a rule means."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.cli.rule.arguments import AS_OF, JSON, KNOWN_AT, KNOWN_BEFORE, RULE, RuleText, resolve_as_of
from quanyu.cli.rule.responses import format_instant, require_people, require_valid, to_json
from quanyu.cli.rule.source_options import open_sources, source_options
from quanyu.dsl import Clock
from quanyu.runtime.errors import InvalidInput


@click.command()
@RULE
@AS_OF
@KNOWN_AT
@KNOWN_BEFORE
@click.option("--sample", type=click.IntRange(0, 100), default=0, help="Also shows this many people of each set.")
@source_options
@JSON
def preview(
    rule: RuleText,
    as_of: str | None,
    known_at: int | None,
    known_before: str | None,
    sample: int,
    as_json: bool,
    **where: Any,
) -> None:
    """Counts the people that a RULE means: a condition, or the text of a segment or tag.

    Without --workspace, counts in each workspace of the data folder that has the names of the rule.
    """
    refusals: list[InvalidInput] = []
    with open_sources(**where) as found:
        for source in found:
            require_people(source, "preview")
            try:
                asked = resolve_as_of(source, as_of, known_at, known_before)
                answer: pb.PreviewRuleResponse = source.call("PreviewRule", text=rule.text, as_of=asked, sample=sample)
                if as_json:
                    click.echo(to_json(answer))
                require_valid(answer, rule)
            except InvalidInput as refusal:
                refusals.append(refusal)
                continue
            if not as_json:
                if len(found) > 1:
                    click.echo(f"In workspace {source.workspace}:")
                print_preview(answer, source.evaluation_now().clock)
        if len(refusals) == len(found):
            raise refusals[0]


def print_preview(answer: pb.PreviewRuleResponse, clock: Clock) -> None:
    """Prints counts, samples and comparisons, with instants in the clock's zone."""
    console = Console()
    for counted in answer.sets:
        console.print(_build_table(counted))
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
        ends = [format_instant(instants[end], clock) if end in instants else "open" for end in ("from", "to")]
        console.print(escape(f"{window.text}: {' to '.join(dict.fromkeys(ends))}"))
    console.print(
        f"as of {format_instant(basis.as_of, clock)} ({clock.zone}); {answer.universe:,} people known; "
        f"raw log folded up to {basis.epoch.raw_offset:,}; {basis.milliseconds:.1f} ms"
    )


def _build_table(counted: pb.SetCount) -> Table:
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
