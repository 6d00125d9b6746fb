"""Converts errors in a rule's text to errors of a call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quanyu.dsl import RuleError
from quanyu.runtime.errors import InvalidInput


@contextmanager
def rule_errors_as_invalid_input() -> Iterator[None]:
    """Raises a RuleError of the block as InvalidInput; its message shows the line with a caret."""
    try:
        yield
    except RuleError as error:
        raise InvalidInput(
            str(error),
            reason=reason_of(error),
            line=str(error.line),
            column=str(error.column),
            suggestions="\n".join(error.suggestions),
        ) from error


def reason_of(error: RuleError) -> str:
    """Returns the machine-readable reason, such as RULE_SYNTAX or RULE_TYPE."""
    return f"RULE_{error.reason.upper()}"
