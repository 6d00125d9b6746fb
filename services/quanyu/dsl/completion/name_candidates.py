"""Candidates from the catalog and the rules: events, properties, attributes, metrics, tags and segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from itertools import pairwise

from lark import Token, Tree

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import names, references
from quanyu.dsl.binding.expressions import Expressions, has_aggregate
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.completion.cursor import Cursor, build_tree
from quanyu.dsl.completion.expected_type import ExpectedType, find_last
from quanyu.dsl.completion.grammar_candidates import (
    NAMES,
    SPECIFIC,
    Candidate,
    Completion,
    CompletionKind,
    make_candidate,
)
from quanyu.dsl.errors import RuleError
from quanyu.dsl.keywords import needs_backquotes
from quanyu.dsl.model.catalog import (
    Catalog,
    EventType,
    Field,
    ItemCatalog,
    chinese_alias,
)
from quanyu.dsl.model.library import RULE_KIND_NAMES
from quanyu.dsl.model.types import RECENCY, Type, type_of_field

_EVENTS = ("DID", "_DID_NOT", "THEN", "WITHOUT")
_SEGMENTS = ("_IN_SEGMENT", "_WAS_IN_SEGMENT", "_ENTERED", "_LEFT", "AMONG")
_DECLARED: dict[str, type[s.Node]] = {"DEFINE": s.Define, "METRIC": s.Metric, "SEGMENT": s.Segment, "TAG": s.Tag}
_KINDS: dict[type[s.Node], CompletionKind] = {
    s.Define: "definition", s.Metric: "metric", s.Segment: "segment", s.Tag: "tag"
}  # fmt: skip
Fits = Callable[[Type], bool]
Declared = EventType | Field | ItemCatalog


class NameCandidates:
    """Lists the names that have a meaning at a cursor and a type that fits.

    `scope` is the scope at the cursor, `expected` the type of a value there.
    """

    def __init__(self, cursor: Cursor, scope: Scope, expected: ExpectedType) -> None:
        self._cursor, self._scope, self._expected = cursor, scope, expected
        self._catalog: Catalog = scope.catalog

    def list_names(self) -> Iterator[Candidate]:
        """Yields the names."""
        kinds, last_kind = self._cursor.kinds, self._cursor.kinds[-1:]
        if last_kind == ("DOT",):
            yield from self._after_dot()
        elif self._is_test_name():
            yield from self._test_names()
        elif last_kind and last_kind[0] in _DECLARED:
            yield from self._rules(_DECLARED[last_kind[0]], SPECIFIC)
        elif self._is_event_expected():
            yield from self._events()
        elif (last_kind and last_kind[0] in _SEGMENTS) or (
            last_kind == ("OF",) and kinds[-3:-2] in (("_IN_TOP",), ("_IN_BOTTOM",))
        ):
            yield from self._rules(s.Segment, SPECIFIC)
        elif last_kind == ("BY",):
            yield from self._properties(self._sequence_event_types(), (), lambda _: True)
        elif last_kind not in (("USE",), ("NAME",), ("UNIT",)):
            yield from self._values()

    def list_versions(self) -> Iterator[Candidate]:
        """Yields versions such as `@2` after the name of a rule or a score."""
        item = self._cursor.stack[-1] if self._cursor.kinds else None
        if not isinstance(item, Token) or item.type != "NAME":
            return
        name = item.strip("`")
        stem = name.partition("_")[2] if self._scope.rules.kind(name) is None else name
        newest = self._scope.rules.newest(stem)
        known = [str(n) for n in range(newest, 0, -1) if self._scope.rules.get(stem, n) is not None]
        known += [n for a, _, n in (a.partition("@") for a in self._catalog.attributes) if a == name and n]
        for text in (f"@{n}" for n in known):
            yield make_candidate(Completion(text, name + text, "version"), SPECIFIC)

    # events, segments and tests

    def _is_event_expected(self) -> bool:
        kinds = self._cursor.kinds
        if kinds[:1] == ("DEFINE",) and "WHERE" not in kinds:
            return True
        after = kinds[-2:-1] in (("DID",), ("_DID_NOT",), ("AGG",)) and kinds[-1] == "LPAR"
        return after or (bool(kinds) and kinds[-1] in _EVENTS)

    def _is_test_name(self) -> bool:
        kinds = self._cursor.kinds
        in_list = "LSQB" in kinds[find_last(kinds, "LBRACE") :]
        return kinds[:1] == ("TEST",) and not in_list and kinds[-1] in ("GIVEN", "THEN", "LBRACE", "COMMA")

    def _test_names(self) -> Iterator[Candidate]:
        kinds = self._cursor.kinds
        if kinds[-1] in ("GIVEN", "THEN"):
            tokens = self._cursor.tokens
            people = (str(b) for a, b in pairwise(tokens) if a.type in ("GIVEN", "THEN"))
            for name in dict.fromkeys(people):
                yield make_candidate(Completion(name, name.strip("`"), "person"), SPECIFIC)
        elif self._scope.step is not None:
            yield from self._properties(self._scope.step.types, (), lambda _: True)
        elif find_last(kinds, "LBRACE") > find_last(kinds, "GIVEN") >= 0:
            yield from self._attributes(set())

    def _sequence_event_types(self) -> tuple[str, ...]:
        """Returns the event types of the sequence before `by`."""
        kinds = self._cursor.kinds
        did = max(find_last(kinds, "DID"), find_last(kinds, "_DID_NOT"))
        trees = [item for item in self._cursor.stack[did:] if isinstance(item, Tree)]
        refs = [build_tree([ref]) for tree in trees for ref in tree.find_data("ref")]
        return tuple(dict.fromkeys(event_type for ref in refs for event_type in self._event_types(ref)))

    # after a dot

    def _after_dot(self) -> Iterator[Candidate]:
        kinds, stack = self._cursor.kinds, self._cursor.stack
        if self._cursor.kinds[:1] == ("TEST",):
            yield from self._rules(s.Tag, SPECIFIC)
            yield from self._rules(s.Metric, SPECIFIC)
            return
        at = find_last(kinds, "ref")
        keys = [key for star in stack[at + 1 : -1] if isinstance(star, Tree) for key in star.find_data("key")]
        path = build_tree([stack[at], *keys], "path")
        if not isinstance(path, s.Path):
            return
        if kinds[at - 2 : at] == ("AGG", "LPAR"):
            fn = str(stack[at - 2])
            yield from self._properties(self._event_types(path.ref), path.keys, lambda kind: has_aggregate(fn, kind))
        elif kinds[at - 1 : at] == ("BY",):
            head = s.Key(path.ref.name)
            yield from self._properties(self._sequence_event_types(), (head, *path.keys), lambda _: True)
        else:
            yield from self._path_keys(path)

    def _path_keys(self, path: s.Path) -> Iterator[Candidate]:
        scope, fits = self._scope, self._expected.fits
        name = self._catalog.canonical(path.ref.name)
        if name == "person" and not path.keys:
            yield from self._person_values(scope.for_person(), set())
        elif scope.step is not None and name != scope.step.name:
            yield from self._properties(scope.step.types, (s.Key(path.ref.name), *path.keys), fits)
        else:
            yield from self._properties(self._event_types(path.ref), path.keys, fits)

    def _event_types(self, ref: s.Ref) -> tuple[str, ...]:
        with suppress(RuleError, RecursionError):
            return references.event_types(references.bind_events(ref, self._scope), self._scope)
        return ()

    def _properties(
        self, types: tuple[str, ...], keys: tuple[s.Key | s.Text, ...], fits: Fits, step: str = ""
    ) -> Iterator[Candidate]:
        """Yields the properties that all event types have, or those of the item catalog that the keys lead to."""
        for name, field in self._fields(types, keys).items():
            target = self._catalog.catalogs.get(field.reference) if name == field.reference else None
            leads_on = target is not None and any(fits(type_of_field(f)) for f in target.attributes.values())
            if leads_on or fits(type_of_field(field)):
                owner = step if name in self._person_names else ""
                detail = "goods or places" if target else ""
                yield self._declared_candidate(name, target or field, "property", detail, SPECIFIC, owner)
        if types and not keys and fits(Type("enum", values=self._catalog.channels)):
            yield self._simple_candidate("channel", "built_in", "the event's channel", SPECIFIC)

    def _fields(self, types: tuple[str, ...], keys: tuple[s.Key | s.Text, ...]) -> Mapping[str, Field]:
        if not types:
            return {}
        if not keys:
            common = set.intersection(*(names.property_names(t, self._scope) for t in types))
            own = self._catalog.event_types[types[0]].properties
            found = {name: self._catalog.find_property(own, name) for name in [*own, *sorted(common - set(own))]}
            return {name: field for name, field in found.items() if field is not None and name in common}
        with suppress(RuleError):
            _, field = names.property_fields(keys, types[0], self._scope)[-1]
            return self._catalog.catalogs[field.reference].attributes if field.reference else {}
        return {}

    # values

    def _values(self) -> Iterator[Candidate]:
        step, fits = self._scope.step, self._expected.fits
        if step is not None:
            yield from self._properties(step.types, (), fits, step.name)
            yield self._simple_candidate(step.name, "event", "before its properties", NAMES)
            yield self._simple_candidate("person", "built_in", "before a value of the person", NAMES)
        taken = set(self._fields(step.types, ())) if step else set[str]()
        yield from self._person_values(self._scope.for_person(), taken)

    def _person_values(self, scope: Scope, taken: set[str]) -> Iterator[Candidate]:
        """Yields the values of people. `taken`: names that need `person.` because the event has them too (N3)."""
        fits = self._expected.fits
        yield from self._attributes(taken)
        if self._scope.step is None and fits(Type("set", values=self._catalog.channels)):
            yield self._simple_candidate("channel", "built_in", "set of channels", NAMES)
        types = Expressions(lambda cond, _: cond)
        for kind in (s.Metric, s.Tag):
            for rule in self._rules(kind, NAMES):
                with suppress(RuleError, RecursionError):
                    if fits(types.bind(s.Path(s.Ref(rule.names[0])), scope)[1]):
                        yield rule
        if fits(RECENCY):
            yield from self._recencies()

    def _attributes(self, taken: set[str]) -> Iterator[Candidate]:
        fits_all = self._expected == ExpectedType()
        for field in self._catalog.attributes.values():
            if fits_all or self._expected.fits(type_of_field(field)):
                name, _, version = field.name.partition("@")
                owner = "person" if name in taken else ""
                detail = f"version {version} of a score" if version else ""
                yield self._declared_candidate(name, field, "attribute", detail, NAMES, owner)

    def _recencies(self) -> Iterator[Candidate]:
        for name in ("first_seen", "last_seen"):
            yield self._simple_candidate(name, "recency", "time since", NAMES)
        rules = self._scope.rules
        for name in [*self._catalog.event_types, *(n for n in rules.names() if rules.kind(n) is s.Define)]:
            event = self._catalog.event_types.get(name)
            for prefix in ("last_", "first_"):
                aliases = tuple(prefix + alias for alias in (event.aliases if event else ()))
                declared = EventType(prefix + name, aliases=aliases)
                yield self._declared_candidate(prefix + name, declared, "recency", "time since", NAMES)

    def _events(self) -> Iterator[Candidate]:
        for event in self._catalog.event_types.values():
            yield self._declared_candidate(event.name, event, "event", "event", SPECIFIC)
        yield from self._rules(s.Define, SPECIFIC)

    def _rules(self, kind: type[s.Node], order: int) -> Iterator[Candidate]:
        rules = self._scope.rules
        for name in sorted(n for n in rules.names() if rules.kind(n) is kind):
            yield self._simple_candidate(
                name, _KINDS[kind], f"{RULE_KIND_NAMES[kind]}, version {rules.newest(name)}", order
            )

    @cached_property
    def _person_names(self) -> set[str]:
        """The names of attributes, metrics and tags. A property with such a name needs its event before it (N3)."""
        rules = self._scope.rules
        attributes = {name.partition("@")[0] for name in self._catalog.attributes}
        return attributes | {name for name in rules.names() if rules.kind(name) in (s.Metric, s.Tag)}

    # one name

    def _declared_candidate(
        self, name: str, declared: Declared, kind: CompletionKind, detail: str, order: int, owner: str = ""
    ) -> Candidate:
        """Makes the candidate of a declared name. The detail of a field is its type unless `detail` says more.

        `owner`: the name to write before an ambiguous name (N3).
        """

        def item() -> Completion:
            written = (chinese_alias(declared) if self._cursor.is_chinese else "") or name
            what = detail or (str(type_of_field(declared)) if isinstance(declared, Field) else "")
            others = (other for other in (name, *declared.aliases) if other != written)
            text = f"{owner}.{self._quote(written)}" if owner else self._quote(written)
            return Completion(text, name, kind, " · ".join([what, *others]))

        return Candidate((name, *declared.aliases), order, item)

    def _simple_candidate(self, name: str, kind: CompletionKind, detail: str, order: int) -> Candidate:
        chinese = self._catalog.chinese_built_in_name(name)
        written = chinese if self._cursor.is_chinese else name
        return Candidate((name, chinese), order, lambda: Completion(self._quote(written), name, kind, detail))

    def _quote(self, name: str) -> str:
        return f"`{name}`" if self._cursor.quote or needs_backquotes(name) else name
