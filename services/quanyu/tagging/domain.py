"""From a rule's text to an answer: bind, compile, plan, evaluate. Pure, but for the index it asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from quanyu.dsl import (
    Bound,
    Catalog,
    Clock,
    CompiledRule,
    Library,
    RuleError,
    check_and_bind,
    compile_condition,
    compile_segment,
    compile_tag,
    plan,
)
from quanyu.dsl.syntax import Segment, Tag
from quanyu.engine import Answer, Index
from quanyu.runtime.errors import InvalidInput, NotFound


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is read against: the names there are, the published rules, and the calendar at an instant."""

    catalog: Catalog
    library: Library
    clock: Clock

    def bind(self, text: str) -> Bound:
        """Checked, every name bound to a version. InvalidInput with the place where it is wrong."""
        with refused():
            return check_and_bind(text, self.catalog, self.library)

    def compile_text(self, bound: Bound) -> list[CompiledRule]:
        """The lone condition, or each segment and tag, of a text that need not be published."""
        with refused():
            if bound.condition is not None:
                return [compile_condition(bound.condition, self.catalog, self.library, self.clock)]
            library = self.library.publish(bound)
            compiled = [self._compile(s, library) for s in bound.statements if isinstance(s, Segment | Tag)]
        if not compiled:
            raise InvalidInput("there is nobody to count: give a condition, a segment or a tag", reason="RULE_NOT_A_SET")
        return compiled

    def compile_published(self, name: str, version: int) -> CompiledRule:
        """A published segment or tag. InvalidInput if it is another kind of rule."""
        rule = self.library.get(name, version)
        if not isinstance(rule, Segment | Tag):
            raise InvalidInput(f"{name}@{version} is not a segment or tag", reason="RULE_NOT_A_SET")
        with refused():
            return self._compile(rule, self.library)

    def version_of(self, name: str, version: int) -> int:
        """`version`, or the newest where it is 0. NotFound if it was never published."""
        found = version or self.library.newest(name)
        if self.library.get(name, found) is None:
            raise NotFound(
                f"no rule {name}@{version} is published" if version else f"no rule {name} is published",
                reason="UNKNOWN_RULE",
                rule=name,
            )
        return found

    def tags(self) -> list[tuple[str, int]]:
        """Name and newest version of every tag."""
        names = sorted(self.library.names())
        return [(name, self.library.newest(name)) for name in names if self.library.kind(name) is Tag]

    def ask(self, index: Index, compiled: Sequence[CompiledRule]) -> Answer:
        """Roots of all the rules, in order, at one version of the index."""
        return index.evaluate(plan(self.clock.as_of_ms, *compiled))

    def _compile(self, rule: Segment | Tag, library: Library) -> CompiledRule:
        if isinstance(rule, Tag):
            return compile_tag(rule, self.catalog, library, self.clock)
        return compile_segment(rule, self.catalog, library, self.clock)


@contextmanager
def refused() -> Iterator[None]:
    """A RuleError as the caller's error: the message shows the line with a caret."""
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
    """Such as RULE_SYNTAX, RULE_NOT_COMPILED_YET."""
    return "RULE_" + error.reason.upper().replace(" ", "_")
