"""References to published rules: `name`, `name@version`, and the kind of rule behind them."""

from __future__ import annotations

from quanyu.dsl.model.library import Rule
from quanyu.runtime.errors import InvalidInput


def parse_reference(reference: str) -> tuple[str, int]:
    """Splits `name@version` into name and version; the version of a bare `name` is 0."""
    name, at, version = reference.rpartition("@")
    if not at:
        return reference, 0
    if not (version.isascii() and version.isdigit()):
        raise InvalidInput(f"{reference!r}: write `name` or `name@version`", reason="RULE_REFERENCE")
    return name, int(version)


def kind_of(rule: Rule) -> str:
    """Returns the keyword that a rule begins with: define, metric, segment or tag."""
    return type(rule).__name__.lower()
