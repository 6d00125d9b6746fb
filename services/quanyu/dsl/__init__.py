"""The rule language: text to syntax tree to plan, pure functions of (text, catalog, library, clock)."""

from quanyu.dsl.errors import RuleError
from quanyu.dsl.parser import parse, parse_condition

__all__ = ["RuleError", "parse", "parse_condition"]
