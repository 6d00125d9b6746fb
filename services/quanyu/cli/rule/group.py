"""`quanyu rule ...`: each command makes one call of the tagging service, on whatever source its options choose."""

from __future__ import annotations

from typing import Any

import click

from quanyu.cli.rule.commands.diff import diff
from quanyu.cli.rule.commands.preview import preview
from quanyu.cli.rule.commands.run_tests import run_tests
from quanyu.cli.rule.commands.text import check, complete, explain, format_rule, lint
from quanyu.cli.rule.commands.why import why
from quanyu.cli.rule.source_options import open_source, source_options


@click.group()
def rule() -> None:
    """Writes, checks and tries out rules.

    RULE is the text of a rule, a file that holds one, or - for standard input. The names in it are those of a running
    server (--server), a data folder (--data) or a file (--catalog). Status 1 means that the rule is wrong or a test
    failed, status 2 that the command is wrong.
    """


@rule.command()
@source_options
def lsp(**where: Any) -> None:
    """Serves an editor on standard input and output: a language server for *.rule files."""
    try:
        from quanyu.cli.rule.language_server.server import serve
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; the language server comes with: pip install 'quanyu[lsp]'") from error
    with open_source(**where) as source:
        serve(source)


for command in (check, lint, format_rule, explain, complete, run_tests, diff, preview, why):
    rule.add_command(command)
