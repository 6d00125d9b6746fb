"""From a rule's text to an answer: bind, compile, plan, evaluate. Pure, but for the index that is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches

from quanyu.dsl import (
    BoundRules,
    Catalog,
    Clock,
    CompiledRule,
    Finding,
    Language,
    Library,
    Recovery,
    RuleError,
    check_and_bind,
    compile_condition,
    compile_segment,
    compile_tag,
    explain,
    lint,
    plan_of_roots,
    recover,
    standing_root,
)
from quanyu.dsl.model.library import Rule, rule_key
from quanyu.dsl.planning.values import Json
from quanyu.dsl.syntax import IsKnown, Metric, Segment, Tag
from quanyu.engine import Answer, Index, InvalidError, Limits
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.tagging.evaluation.patterns import check_patterns


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """What a text is read against: the names there are, the published rules, and the calendar at an instant."""

    catalog: Catalog
    library: Library
    clock: Clock
    # Raw offset that people are asked about at; None: as the index is now.
    known_at: int | None = None
    # Of the questions that are asked.
    limits: Limits | None = None

    def bind(self, text: str) -> BoundRules:
        """Checked, every name bound to a version. InvalidInput with the place where it is wrong."""
        with rule_errors_as_invalid_input():
            return check_and_bind(text, self.catalog, self.library)

    def recover(self, text: str) -> Recovery:
        """Checked as far as it is right."""
        return recover(text, self.catalog, self.library)

    def with_draft(self, bound: BoundRules) -> EvaluationContext:
        """As if the text were published. InvalidInput if one of its versions is taken."""
        with rule_errors_as_invalid_input():
            return replace(self, library=self.library.publish(bound))

    def explain_text(self, text: str) -> list[str]:
        """A sentence for each clause of a text that need not be published. RuleError where it is wrong."""
        bound = check_and_bind(text, self.catalog, self.library)
        return explain(bound, self.library.publish(bound), self.catalog, self.clock)

    def lint(self, text: str) -> list[Finding]:
        """Warnings about a text that need not be published. RuleError where it is wrong."""
        return lint(check_and_bind(text, self.catalog, self.library), self.catalog, self.library, self.clock)

    def compile_segment(self, name: str, version: int) -> CompiledRule:
        """A published one. InvalidInput if it is another kind of rule."""
        if not isinstance(self.library.get(name, version), Segment):
            raise InvalidInput(f"{name}@{version} is published, but is no segment", reason="RULE_KIND", rule=name)
        with rule_errors_as_invalid_input():
            return compile_segment(name, version, self.library, self.catalog, self.clock)

    def compile_live_segment(self, name: str, version: int) -> tuple[bytes, int | None]:
        """A published one for the live membership, and for how many milliseconds from the clock's instant it stands."""
        with rule_errors_as_invalid_input():
            return standing_root(name, version, self.library, self.catalog, self.clock)

    def compile_tag(self, name: str, version: int) -> CompiledRule:
        with rule_errors_as_invalid_input():
            return compile_tag(name, version, self.library, self.catalog, self.clock)

    def compile_segment_or_tag(self, name: str, version: int) -> CompiledRule | None:
        """A published segment or tag; None for a definition or metric, which is no set of people."""
        match self.library.get(name, version):
            case Segment():
                return self.compile_segment(name, version)
            case Tag():
                return self.compile_tag(name, version)
        return None

    def compile_segments_and_tags(self, bound: BoundRules) -> list[CompiledRule]:
        """The segments and tags of a text that the library holds, in its order."""
        found = [self.compile_segment_or_tag(*rule_key(rule)) for rule in bound.statements if isinstance(rule, Rule)]
        return [compiled for compiled in found if compiled is not None]

    def explain_rule(self, name: str, version: int) -> list[str]:
        """A sentence for each clause of a published rule."""
        rule = self.library.get(name, version)
        with rule_errors_as_invalid_input():
            return [] if rule is None else explain(rule, self.library, self.catalog, self.clock)

    def resolve_version(self, name: str, version: int) -> int:
        """`version`, or the newest where it is 0. NotFound if it was never published."""
        found = version or self.library.newest(name)
        if self.library.get(name, found) is None:
            asked = f"{name}@{version}" if version else name
            near = get_close_matches(name, self.library.names(), n=1)
            hint = f"did you mean {near[0]}?" if near else "publish it first, or see ListRules"
            raise NotFound(f"no rule {asked or '``'} is published; {hint}", reason="UNKNOWN_RULE", rule=asked)
        return found

    def find(self, index: Index, compiled: Sequence[CompiledRule]) -> Answer:
        """Members of the roots of all the rules, in order, at one version of the index. InvalidInput for a pattern."""
        return self.find_roots(index, [root for rule in compiled for root in rule.roots])

    def find_roots(self, index: Index, roots: Sequence[Json]) -> Answer:
        """Members of each root."""
        return self._ask(index.find, roots)

    def count(self, index: Index, compiled: Sequence[CompiledRule]) -> Answer:
        """The same, and how many are unknown, and what each clause comes to."""
        return self.count_roots(index, [root for rule in compiled for root in rule.roots])

    def count_roots(self, index: Index, roots: Sequence[Json]) -> Answer:
        return self._ask(index.evaluate, roots)

    def verdicts(self, index: Index, roots: Sequence[Json], persons: Sequence[int]) -> list[list[bool | None]]:
        """Of each root, what it says of each of these people; None is unknown."""
        return index.verdicts(plan_of_roots(self.clock.as_of_ms, roots), list(persons), self.known_at, self.limits)

    def _ask(self, asked: Callable[[bytes, int | None, Limits | None], Answer], roots: Sequence[Json]) -> Answer:
        try:
            return asked(plan_of_roots(self.clock.as_of_ms, roots), self.known_at, self.limits)
        except InvalidError as error:
            raise InvalidInput(f"the rule cannot be counted: {error}", reason="RULE_NOT_COUNTABLE") from error


@dataclass(frozen=True, slots=True)
class Explanation:
    """A sentence for each clause; the rules and scores that the text rests on; what it compiles to."""

    sentences: list[str]
    versions: tuple[str, ...]
    compiled: list[CompiledRule]


def parse_reference(reference: str) -> tuple[str, int]:
    """Name and version of `name@version`; of `name` the version is 0."""
    name, at, version = reference.rpartition("@")
    if not at:
        return reference, 0
    if not (version.isascii() and version.isdigit()):
        raise InvalidInput(f"{reference!r}: write `name` or `name@version`", reason="RULE_REFERENCE")
    return name, int(version)


def explain_and_compile(evaluation: EvaluationContext, text: str, language: Language) -> Explanation:
    """What a text means that need not be published. RuleError where it is wrong."""
    bound = check_and_bind(text, evaluation.catalog, evaluation.library)
    drafted = replace(evaluation, library=evaluation.library.publish(bound))
    names = (drafted.library, drafted.catalog, drafted.clock)
    sentences = explain(bound, *names, language)
    values = [IsKnown(rule.expr) for rule in bound.statements if isinstance(rule, Metric)]
    alone = values if bound.condition is None else [bound.condition]
    compiled = [*(compile_condition(cond, *names) for cond in alone), *drafted.compile_segments_and_tags(bound)]
    return Explanation(sentences, bound.versions, compiled)


def check_countable(drafted: EvaluationContext, index: Index, bound: BoundRules) -> None:
    """InvalidInput if a segment or tag of the text cannot be counted: it never changes once it is published."""
    with rule_errors_as_invalid_input():
        check_patterns(bound, index)
    drafted.count(index, drafted.compile_segments_and_tags(bound))


def tag_values(answer: Answer, compiled: Sequence[CompiledRule], person: int) -> list[str | None]:
    """The person's value of each tag: that of the tier that holds the person; None: no tier does."""
    found: list[str | None] = []
    root = 0
    for tag in compiled:
        held = [value for at, value in enumerate(tag.values, root) if answer.contains(at, [person])[0]]
        found.append(held[0] if held else None)
        root += len(tag.roots)
    return found


def kind_of(rule: Rule) -> str:
    """The word that a rule begins with: define, metric, segment or tag."""
    return type(rule).__name__.lower()


@contextmanager
def rule_errors_as_invalid_input() -> Iterator[None]:
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
    """Such as RULE_SYNTAX, RULE_TYPE."""
    return f"RULE_{error.reason.upper()}"
