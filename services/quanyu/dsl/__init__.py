"""The rule language: text to syntax tree to plan, pure functions of (text, catalog, library, clock).

    bound = check_and_bind(text, catalog, library)  # RuleError says where and what to write instead
    library = library.publish(bound)  # a new library
    rule = compile_segment("lapsed", 1, library, catalog, clock)
    message = plan(clock.as_of_ms, rule)  # what the engine evaluates

Published rules are kept as `format_rule(statement)` and come back by `Library.of(texts)`.
"""

from quanyu.dsl.catalog import Catalog, EventType, Field, ItemCatalog
from quanyu.dsl.checker import check_and_bind
from quanyu.dsl.compiler import (
    CompiledRule,
    Parts,
    ResolvedWindow,
    compile_condition,
    compile_segment,
    compile_tag,
    plan,
    plan_of_roots,
    standing_plan,
    standing_root,
)
from quanyu.dsl.dependencies import dependents, rebound, rests_on
from quanyu.dsl.differ import differences
from quanyu.dsl.errors import RuleError
from quanyu.dsl.explainer import explain
from quanyu.dsl.formatter import format_rule
from quanyu.dsl.library import Bound, Library
from quanyu.dsl.parser import parse, parse_condition
from quanyu.dsl.recovery import LeftOut, Recovered, recover
from quanyu.dsl.windows import Clock

__all__ = [
    "Bound",
    "Catalog",
    "Clock",
    "CompiledRule",
    "EventType",
    "Field",
    "ItemCatalog",
    "LeftOut",
    "Library",
    "Parts",
    "Recovered",
    "ResolvedWindow",
    "RuleError",
    "check_and_bind",
    "compile_condition",
    "compile_segment",
    "compile_tag",
    "dependents",
    "differences",
    "explain",
    "format_rule",
    "parse",
    "parse_condition",
    "plan",
    "plan_of_roots",
    "rebound",
    "recover",
    "rests_on",
    "standing_plan",
    "standing_root",
]
