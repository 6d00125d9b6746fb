"""From a rule's text to an answer: bind, compile, plan, evaluate. Pure, but for the index that is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches

from quanyu.dsl import (
    Bound,
    Catalog,
    Clock,
    CompiledRule,
    Language,
    Library,
    RuleError,
    check_and_bind,
    compile_condition,
    compile_segment,
    compile_tag,
    explain,
    plan,
    standing_root,
)
from quanyu.dsl.library import key
from quanyu.dsl.syntax import IsKnown, Metric, Segment, Tag
from quanyu.engine import Answer, Index, InvalidError, Limits
from quanyu.runtime.errors import InvalidInput, NotFound


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is read against: the names there are, the published rules, and the calendar at an instant."""

    catalog: Catalog
    library: Library
    clock: Clock
    # Raw offset that people are asked about at; None: as the index is now.
    known_at: int | None = None
    # Of the questions that are asked.
    limits: Limits | None = None

    def bind(self, text: str) -> Bound:
        """Checked, every name bound to a version. InvalidInput with the place where it is wrong."""
        with refused():
            return check_and_bind(text, self.catalog, self.library)

    def drafted(self, bound: Bound) -> Reading:
        """As if the text were published. InvalidInput if one of its versions is taken."""
        with refused():
            return replace(self, library=self.library.publish(bound))

    def explained_text(self, text: str) -> list[str]:
        """A sentence for each clause of a text that need not be published. RuleError where it is wrong."""
        bound = check_and_bind(text, self.catalog, self.library)
        return explain(bound, self.library.publish(bound), self.catalog, self.clock)

    def compile_segment(self, name: str, version: int) -> CompiledRule:
        """A published one. InvalidInput if it is another kind of rule."""
        if not isinstance(self.library.get(name, version), Segment):
            raise InvalidInput(f"{name}@{version} is published, but is no segment", reason="RULE_KIND", rule=name)
        with refused():
            return compile_segment(name, version, self.library, self.catalog, self.clock)

    def standing_segment(self, name: str, version: int) -> tuple[bytes, int | None]:
        """A published one for the live membership, and for how many milliseconds from the clock's instant it stands."""
        with refused():
            return standing_root(name, version, self.library, self.catalog, self.clock)

    def compile_tag(self, name: str, version: int) -> CompiledRule:
        with refused():
            return compile_tag(name, version, self.library, self.catalog, self.clock)

    def explained(self, name: str, version: int) -> list[str]:
        """A sentence for each clause of a published rule."""
        rule = self.library.get(name, version)
        with refused():
            return [] if rule is None else explain(rule, self.library, self.catalog, self.clock)

    def version_of(self, name: str, version: int) -> int:
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
        return self._ask(index.find, compiled)

    def count(self, index: Index, compiled: Sequence[CompiledRule]) -> Answer:
        """The same, and how many are unknown, and what each clause comes to."""
        return self._ask(index.evaluate, compiled)

    def _ask(
        self, asked: Callable[[bytes, int | None, Limits | None], Answer], compiled: Sequence[CompiledRule]
    ) -> Answer:
        try:
            return asked(plan(self.clock.as_of_ms, *compiled), self.known_at, self.limits)
        except InvalidError as error:
            raise InvalidInput(f"the rule cannot be counted: {error}", reason="RULE_NOT_COUNTABLE") from error


@dataclass(frozen=True, slots=True)
class Count:
    """How many a set has: true, unknown, and the same for each top-level clause (text, matched, unknown)."""

    name: str
    matched: int
    unknown: int
    clauses: list[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a text would select: one count for a condition or segment, one per tier for a tag."""

    counts: list[Count]
    explanation: list[str]
    compiled: list[CompiledRule]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Explained:
    """A sentence for each clause; the rules and scores that the text rests on; what it compiles to."""

    sentences: list[str]
    versions: tuple[str, ...]
    compiled: list[CompiledRule]


def named(reference: str) -> tuple[str, int]:
    """Name and version of `name@version`; of `name` the version is 0."""
    name, at, version = reference.rpartition("@")
    if not at:
        return reference, 0
    if not (version.isascii() and version.isdigit()):
        raise InvalidInput(f"{reference!r}: write `name` or `name@version`", reason="RULE_REFERENCE")
    return name, int(version)


def preview(reading: Reading, index: Index, text: str) -> Preview:
    """Of a lone condition, or of each segment and tag of a text that need not be published."""
    bound = reading.bind(text)
    drafted = reading.drafted(bound)
    with refused():
        explanation = explain(bound, drafted.library, drafted.catalog, drafted.clock)
        if bound.condition is not None:
            compiled = [compile_condition(bound, drafted.library, drafted.catalog, drafted.clock)]
        else:
            compiled = _compiled(drafted, bound)
    if not compiled:
        raise InvalidInput("there is nobody to count: give a condition, a segment or a tag", reason="RULE_NOT_A_SET")
    answer = drafted.count(index, compiled)
    return Preview(_counts(answer, compiled), explanation, compiled, answer)


def explain_text(reading: Reading, text: str, language: Language) -> Explained:
    """What a text means that need not be published. RuleError where it is wrong."""
    bound = check_and_bind(text, reading.catalog, reading.library)
    drafted = replace(reading, library=reading.library.publish(bound))
    names = (drafted.library, drafted.catalog, drafted.clock)
    sentences = explain(bound, *names, language)
    values = [IsKnown(rule.expr) for rule in bound.statements if isinstance(rule, Metric)]
    alone = values if bound.condition is None else [bound.condition]
    compiled = [*(compile_condition(cond, *names) for cond in alone), *_compiled(drafted, bound)]
    return Explained(sentences, bound.versions, compiled)


def try_out(drafted: Reading, index: Index, bound: Bound) -> None:
    """InvalidInput if a segment or tag of the text cannot be counted: it never changes once it is published."""
    drafted.count(index, _compiled(drafted, bound))


def tag_values(answer: Answer, compiled: Sequence[CompiledRule], person: int) -> list[str | None]:
    """The person's value of each tag: that of the tier that holds the person; None: no tier does."""
    found: list[str | None] = []
    root = 0
    for tag in compiled:
        held = [value for at, value in enumerate(tag.values, root) if answer.contains(at, [person])[0]]
        found.append(held[0] if held else None)
        root += len(tag.roots)
    return found


def _compiled(reading: Reading, bound: Bound) -> list[CompiledRule]:
    return [_compile(reading, rule) for rule in bound.statements if isinstance(rule, Segment | Tag)]


def _compile(reading: Reading, rule: Segment | Tag) -> CompiledRule:
    name, version = key(rule)
    return reading.compile_tag(name, version) if isinstance(rule, Tag) else reading.compile_segment(name, version)


def _counts(answer: Answer, compiled: Sequence[CompiledRule]) -> list[Count]:
    # A tag's clauses are one per root, any other rule has one root.
    named = [
        (str(root["name"]), [rule.clauses[at]] if rule.values else rule.clauses)
        for rule in compiled
        for at, root in enumerate(rule.roots)
    ]
    return [
        Count(name, *answer.counts(at), [(text, *n) for text, n in zip(texts, answer.clauses(at), strict=True)])
        for at, (name, texts) in enumerate(named)
    ]


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
