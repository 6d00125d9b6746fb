"""The rule language: turns a text into a syntax tree, and the tree into a plan.

All functions are pure functions of the text, the catalog, the library and the clock.

    bound = check_and_bind(text, catalog, library)  # raises RuleError with the place and what to write instead
    library = library.publish(bound)  # a new library
    rule = compile_segment("lapsed", 1, library, catalog, clock)
    message = build_plan(clock.as_of_ms, rule)  # the input of the engine

Published rules are stored as `format_rule(statement)`; `Library.from_texts(texts)` reads them back.
"""

from quanyu.dsl.binding.checker import check_and_bind
from quanyu.dsl.binding.dependencies import dependencies_of, dependents_of, rebind
from quanyu.dsl.binding.recovery import OmittedClause, Recovery, recover
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.completion.completer import Completions, complete
from quanyu.dsl.completion.grammar_candidates import Completion
from quanyu.dsl.errors import RuleError
from quanyu.dsl.explaining.differ import describe_differences
from quanyu.dsl.explaining.explainer import explain
from quanyu.dsl.explaining.text_formatter import format_text
from quanyu.dsl.formatting.formatter import Language, format_rule
from quanyu.dsl.linting.findings import Finding
from quanyu.dsl.linting.linter import lint
from quanyu.dsl.model.catalog import (
    Catalog,
    EventType,
    Field,
    ItemCatalog,
)
from quanyu.dsl.model.library import BoundRules, Library
from quanyu.dsl.parsing.parser import parse, parse_condition
from quanyu.dsl.planning.compiler import (
    CompiledRule,
    ResolvedWindow,
    build_plan,
    compile_condition,
    compile_live_segment,
    compile_segment,
    compile_tag,
)
from quanyu.dsl.planning.parts import PartCompiler
from quanyu.dsl.planning.serializer import join_roots, serialize_plan

__all__ = [
    "BoundRules",
    "Catalog",
    "Clock",
    "CompiledRule",
    "Completion",
    "Completions",
    "EventType",
    "Field",
    "Finding",
    "ItemCatalog",
    "Language",
    "Library",
    "OmittedClause",
    "PartCompiler",
    "Recovery",
    "ResolvedWindow",
    "RuleError",
    "build_plan",
    "check_and_bind",
    "compile_condition",
    "compile_live_segment",
    "compile_segment",
    "compile_tag",
    "complete",
    "dependencies_of",
    "dependents_of",
    "describe_differences",
    "explain",
    "format_rule",
    "format_text",
    "join_roots",
    "lint",
    "parse",
    "parse_condition",
    "rebind",
    "recover",
    "serialize_plan",
]
