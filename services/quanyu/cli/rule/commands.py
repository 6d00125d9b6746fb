"""`quanyu rule ...`: each command asks one call of the tagging service, wherever the names and people are."""

from __future__ import annotations

from typing import Any

import click

from quanyu.cli.rule.options import one_source, where_options
from quanyu.cli.rule.people_commands import preview_command, why_command
from quanyu.cli.rule.text_commands import (
    check,
    complete,
    diff_command,
    explain,
    format_command,
    lint,
    test_command,
)


@click.group()
def rule() -> None:
    """Writes, checks and tries out rules.

    RULE is a rule's text, a file that holds one, or - for standard input. Its names are those of a running server
    (--server), a data folder (--data) or a file (--catalog). Status 1: the rule is wrong, or a test failed; 2: the
    command is.
    """


@rule.command()
@where_options
def lsp(**where: Any) -> None:
    """Serves an editor on standard input and output: a language server for *.rule files."""
    try:
        from quanyu.cli.rule.language_server import serve
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; the language server comes with: pip install 'quanyu[lsp]'") from error
    with one_source(**where) as source:
        serve(source)


for command in (
    check,
    lint,
    format_command,
    explain,
    complete,
    test_command,
    diff_command,
    preview_command,
    why_command,
):
    rule.add_command(command)
