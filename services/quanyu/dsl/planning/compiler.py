"""Compiles bound rules at an instant into the roots of a plan (docs/plan.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.errors import RuleError, attach_text
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import BoundRules, Library
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.conditions import ConditionCompiler, as_one_clause
from quanyu.dsl.planning.nodes import Root
from quanyu.dsl.planning.serializer import serialize_plan, serialize_root


@dataclass(frozen=True)
class ResolvedWindow:
    """A window of the rule, as canonical text, and the instants it resolved to: from <= t < to; None is open.

    The window of a single instant (`was in segment s 30d ago`) has that instant as both ends.
    """

    text: str
    from_ms: int | None
    to_ms: int | None


@dataclass(frozen=True)
class CompiledRule:
    """The roots of a rule. A tag has a root for each tier and one for its `else`, and `values` are their values.

    `clauses` are the canonical texts of the top-level clauses, or for a tag those of the roots.
    """

    roots: list[Root]
    windows: list[ResolvedWindow]
    clauses: list[str]
    versions: list[str]
    values: tuple[str, ...] = ()


def compile_condition(
    condition: s.Cond | BoundRules, library: Library, catalog: Catalog, clock: Clock, name: str = "preview"
) -> CompiledRule:
    """Compiles a bound condition over the universe (X3).

    Raises RuleError (reason "scope") if the text has statements.
    """
    with attach_text(condition.text if isinstance(condition, BoundRules) else ""):
        cond = condition.condition if isinstance(condition, BoundRules) else condition
        if cond is None:
            raise RuleError("the text has statements: write a single condition", 1, 1, "scope")
        compiler = ConditionCompiler(catalog, library, clock)
        root = compiler.compile_root(name, cond, compiler.values.top)
        return _result(compiler, [root], clause_texts(cond), [cond])


def compile_segment(name: str, version: int, library: Library, catalog: Catalog, clock: Clock) -> CompiledRule:
    """Compiles a published segment. Raises RuleError (reason "version") if it does not exist."""
    segment = library.get(name, version)
    if not isinstance(segment, s.Segment):
        raise RuleError(f"there is no segment {name}@{version}", 1, 1, "version")
    with attach_text(format_rule(segment)):
        compiler = ConditionCompiler(catalog, library, clock)
        scope = compiler.values.enter_segment(segment, compiler.values.top)
        root = compiler.compile_root(f"{name}@{version}", segment.cond, scope)
        return _result(compiler, [root], clause_texts(segment.cond), [segment])


def compile_tag(name: str, version: int, library: Library, catalog: Catalog, clock: Clock) -> CompiledRule:
    """Compiles a published tag to disjoint roots, one for each tier; `else` has the people of no tier."""
    tag = library.get(name, version)
    if not isinstance(tag, s.Tag):
        raise RuleError(f"there is no tag {name}@{version}", 1, 1, "version")
    with attach_text(format_rule(tag)):
        compiler = ConditionCompiler(catalog, library, clock)
        scope = compiler.values.top.within_rule(name)
        tiers = [compiler.compile(tier.cond, scope) for tier in tag.tiers]
        values = [tier.value for tier in tag.tiers]
        clauses = [f"{format_rule(tier.value)} when {format_rule(tier.cond)}" for tier in tag.tiers]
        conds = [_first_match(tiers[:n], tier) for n, tier in enumerate(tiers)]
        if tag.otherwise is not None:
            conds.append(_first_match(tiers, nodes.Constant(True)))
            values.append(tag.otherwise)
            clauses.append(f"else {format_rule(tag.otherwise)}")
        texts = tuple(value.value if isinstance(value, s.Text) else format_rule(value) for value in values)
        roots = [
            Root(f"{name}@{version}: {text}", as_one_clause(cond), None)
            for text, cond in zip(texts, conds, strict=True)
        ]
        return replace(_result(compiler, roots, clauses, [tag]), values=texts)


def compile_live_segment(
    name: str, version: int, library: Library, catalog: Catalog, clock: Clock
) -> tuple[bytes, int | None]:
    """Compiles a published segment for repeated evaluation as as-of moves on.

    Returns the serialized root, whose instants move along with as-of, and the ms for which it is valid (None: always).
    """
    relative = clock.relative()
    (root,) = compile_segment(name, version, library, catalog, relative).roots
    return serialize_root(root), relative.validity.ms


def build_plan(as_of_ms: int, *compiled: CompiledRule) -> bytes:
    """Returns the plan message with the roots of all rules in order."""
    return serialize_plan(as_of_ms, [root for rule in compiled for root in rule.roots])


def clause_texts(cond: s.Cond) -> list[str]:
    """Returns the texts of the clauses that the engine counts one by one."""
    parts: Sequence[s.Cond] = cond.operands if isinstance(cond, (s.AllOf, s.AnyOf)) else (cond,)
    return [format_rule(part) for part in parts]


def _result(
    compiler: ConditionCompiler, roots: list[Root], clauses: list[str], rule_nodes: list[s.Node]
) -> CompiledRule:
    resolved = [ResolvedWindow(*window) for window in compiler.values.state.windows]
    return CompiledRule(roots, resolved, clauses, compiler.versions_of(rule_nodes))


def _first_match(earlier: list[nodes.Cond], tier: nodes.Cond) -> nodes.Cond:
    """Compiles the condition that the tier is true and no earlier tier is; unknown tiers are skipped (G7)."""
    if not earlier:
        return tier
    return nodes.AllOf((tier, *(nodes.OrUnknown(nodes.Not(other)) for other in earlier)))
