"""The context of an evaluation: what a rule's text is bound, compiled and evaluated against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from quanyu.dsl import (
    BoundRules,
    Catalog,
    Clock,
    CompiledRule,
    Finding,
    Library,
    Recovery,
    check_and_bind,
    compile_live_segment,
    compile_segment,
    compile_tag,
    explain,
    lint,
    recover,
    serialize_plan,
)
from quanyu.dsl.model.library import Rule, rule_key
from quanyu.dsl.planning.nodes import Root
from quanyu.dsl.syntax import Segment, Tag
from quanyu.engine import Answer, Index, InvalidError, Limits
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.tagging.evaluation.references import kind_of
from quanyu.tagging.evaluation.rule_errors import rule_errors_as_invalid_input


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """The catalog, published rules and clock against which a rule is checked, compiled and evaluated."""

    catalog: Catalog
    library: Library
    clock: Clock
    # Raw offset of the index version to evaluate; None: the newest version.
    known_at: int | None = None
    # Memory and cancellation of each query.
    limits: Limits | None = None

    def bind(self, text: str) -> BoundRules:
        """Checks a text and binds every name to a version. Raises InvalidInput with the place of the error."""
        with rule_errors_as_invalid_input():
            return check_and_bind(text, self.catalog, self.library)

    def recover(self, text: str) -> Recovery:
        """Checks a text and binds the clauses without errors."""
        return recover(text, self.catalog, self.library)

    def with_draft(self, bound: BoundRules) -> EvaluationContext:
        """Returns a context in which the draft is published.

        Raises InvalidInput if a version that it defines already exists.
        """
        with rule_errors_as_invalid_input():
            return replace(self, library=self.library.publish(bound))

    def explain_text(self, text: str) -> list[str]:
        """Returns a sentence for each clause of a draft. Raises RuleError if the text is wrong."""
        bound = check_and_bind(text, self.catalog, self.library)
        return explain(bound, self.library.publish(bound), self.catalog, self.clock)

    def explain_rule(self, name: str, version: int) -> list[str]:
        """Returns a sentence for each clause of a published rule; empty if the rule is not published."""
        rule = self.library.get(name, version)
        with rule_errors_as_invalid_input():
            return [] if rule is None else explain(rule, self.library, self.catalog, self.clock)

    def lint(self, text: str) -> list[Finding]:
        """Returns the warnings about a draft. Raises RuleError if the text is wrong."""
        return lint(check_and_bind(text, self.catalog, self.library), self.catalog, self.library, self.clock)

    def compile_segment(self, name: str, version: int) -> CompiledRule:
        """Compiles a published segment. Raises InvalidInput if the rule is of another kind."""
        self._check_is_segment(name, version)
        with rule_errors_as_invalid_input():
            return compile_segment(name, version, self.library, self.catalog, self.clock)

    def compile_live_segment(self, name: str, version: int) -> tuple[bytes, int | None]:
        """Compiles a published segment for the live membership.

        Returns its plan and for how many milliseconds after the clock's instant the plan is valid; None: for ever.
        """
        with rule_errors_as_invalid_input():
            return compile_live_segment(name, version, self.library, self.catalog, self.clock)

    def compile_tag(self, name: str, version: int) -> CompiledRule:
        """Compiles a published tag: a root for each tier."""
        with rule_errors_as_invalid_input():
            return compile_tag(name, version, self.library, self.catalog, self.clock)

    def compile_segment_or_tag(self, name: str, version: int) -> CompiledRule | None:
        """Compiles a published rule; returns None if it is a definition or a metric, which have no members."""
        match self.library.get(name, version):
            case Segment():
                return self.compile_segment(name, version)
            case Tag():
                return self.compile_tag(name, version)
        return None

    def compile_segments_and_tags(self, bound: BoundRules) -> list[CompiledRule]:
        """Compiles the segments and tags of a draft that the library holds, in the order of the text."""
        found = [self.compile_segment_or_tag(*rule_key(rule)) for rule in bound.statements if isinstance(rule, Rule)]
        return [compiled for compiled in found if compiled is not None]

    def resolve_version(self, name: str, version: int) -> int:
        """Returns `version`, or the newest version if it is 0. Raises NotFound if it was never published."""
        found = version or self.library.newest(name)
        if self.library.get(name, found) is None:
            wanted = f"{name}@{version}" if version else name
            near = get_close_matches(name, self.library.names(), n=1)
            hint = f"did you mean {near[0]}?" if near else "publish it first, or see ListRules"
            raise NotFound(f"no rule {wanted or '``'} is published; {hint}", reason="UNKNOWN_RULE", rule=wanted)
        return found

    def find(self, index: Index, compiled: Sequence[CompiledRule]) -> Answer:
        """Finds the members of every root of the rules, in order, at one version of the index.

        Raises InvalidInput if the engine rejects a rule, for example one with an invalid pattern.
        """
        return self.find_roots(index, [root for rule in compiled for root in rule.roots])

    def find_roots(self, index: Index, roots: Sequence[Root]) -> Answer:
        """Finds the members of each root."""
        return self._run(index.find, roots)

    def count(self, index: Index, compiled: Sequence[CompiledRule]) -> Answer:
        """Finds the members of every root as `find` does, and counts the unknowns and each clause."""
        return self.count_roots(index, [root for rule in compiled for root in rule.roots])

    def count_roots(self, index: Index, roots: Sequence[Root]) -> Answer:
        """Finds the members of each root, and counts the unknowns and each clause."""
        return self._run(index.evaluate, roots)

    def verdicts(self, index: Index, roots: Sequence[Root], persons: Sequence[int]) -> list[list[bool | None]]:
        """Returns for each root its verdict on each person; None is unknown."""
        return index.verdicts(serialize_plan(self.clock.as_of_ms, roots), list(persons), self.known_at, self.limits)

    def _run(self, query: Callable[[bytes, int | None, Limits | None], Answer], roots: Sequence[Root]) -> Answer:
        try:
            return query(serialize_plan(self.clock.as_of_ms, roots), self.known_at, self.limits)
        except InvalidError as error:
            raise InvalidInput(f"the rule cannot be evaluated: {error}", reason="RULE_NOT_COUNTABLE") from error

    def _check_is_segment(self, name: str, version: int) -> None:
        rule = self.library.get(name, version)
        if isinstance(rule, Segment):
            return
        label = f"{name}@{version}"
        kind = "" if rule is None else kind_of(rule).replace("define", "definition")
        found = f"{label} is a {kind}" if kind else f"{label} is not published"
        raise InvalidInput(f"{found}; this call needs a segment", reason="RULE_KIND", rule=name)
