"""Checks a text against the catalog and the library, and binds every name to a version (V2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from quanyu.dsl import syntax as s
from quanyu.dsl.binding import references
from quanyu.dsl.binding.conditions import Conditions
from quanyu.dsl.binding.references import Scope
from quanyu.dsl.binding.rule_test_blocks import bind_tests
from quanyu.dsl.errors import RuleError, attach_text
from quanyu.dsl.model.catalog import BUILT_IN, Catalog
from quanyu.dsl.model.library import (
    RULE_KIND_NAMES,
    BoundRules,
    Library,
    Rule,
    Rules,
    rule_key,
    version_taken_error,
)
from quanyu.dsl.parsing.parser import is_condition, parse, parse_condition


def check_and_bind(text: str, catalog: Catalog, library: Library) -> BoundRules:
    """Checks and binds the statements or the single condition of a text. Statements may use each other in any order.

    Raises RuleError with the position and suggestions.
    """
    with attach_text(text):
        if is_condition(text):
            condition = Conditions().bind(parse_condition(text), Scope(catalog, library))
            return BoundRules(text, None, condition, versions_of([condition], catalog, library))
        script = parse(text)
        drafts = _Drafts(script, catalog, library)
        bound = s.Script(tuple(drafts.bound(rule) for rule in drafts.statements), span=script.span)
        tests = [statement for statement in script.statements if isinstance(statement, s.Test)]
        versions = versions_of(bound.statements, catalog, drafts)
        return BoundRules(text, bound, None, versions, bind_tests(tests, Scope(catalog, drafts)))


class _Drafts:
    """A library with the drafts of one text. It binds each draft on first use and so finds cycles (E2)."""

    def __init__(self, script: s.Script, catalog: Catalog, library: Library) -> None:
        self._library = library
        self._catalog = catalog
        self._scope = Scope(catalog, self)
        self._conditions = Conditions()
        self._bound: dict[tuple[str, int], Rule] = {}
        self._open: list[tuple[str, int]] = []
        self._drafts: dict[str, dict[int, Rule]] = {}
        self.statements = [self._declared(stated) for stated in script.statements if not isinstance(stated, s.Test)]

    # what Rules asks for

    def names(self) -> Iterable[str]:
        return {*self._library.names(), *self._drafts}

    def kind(self, name: str) -> type[s.Node] | None:
        found = (type(rule) for rule in self._drafts.get(name, {}).values())
        return next(found, None) or self._library.kind(name)

    def newest(self, name: str) -> int:
        return max(self._library.newest(name), *self._drafts.get(name, ()), 0)

    def get(self, name: str, version: int) -> Rule | None:
        draft = self._drafts.get(name, {}).get(version)
        return self.bound(draft) if draft else self._library.get(name, version)

    # the statements

    def _declared(self, statement: s.Statement) -> Rule:
        if isinstance(statement, s.Setting):
            message = "a rule cannot contain settings: write them in the workspace's own text (X5)"
            raise RuleError.at(statement.span, "scope", message)
        assert isinstance(statement, Rule)
        self._reject_clash(statement)
        name, version = rule_key(statement)
        drafts = self._drafts.setdefault(name, {})
        if version in drafts:
            raise version_taken_error(statement, self.newest(name))
        drafts[version] = statement
        return statement

    def _reject_clash(self, rule: Rule) -> None:
        """Rejects a name that is taken: attributes, events, rules and built-ins share one namespace (N12)."""
        name, catalog = rule.ref.name, self._catalog
        other = self.kind(name)
        taken = {
            "a built-in name": name in BUILT_IN,
            "an attribute": name in catalog.attributes or catalog.find_attribute(name, None) is not None,
            "an event type": name in catalog.event_types,
            "another name's alias": catalog.canonical(name) != name,
            f"a {RULE_KIND_NAMES[other]}" if other else "": other is not None and other is not type(rule),
            "part of an attribute's name": isinstance(rule, s.Define)
            and any(f"{word}_{name}" in catalog.attributes for word in ("last", "first")),
        }
        for what in (what for what, is_taken in taken.items() if is_taken):
            raise RuleError.at(rule.ref.span, "name", f"`{name}` is already {what} (N12)")

    def bound(self, rule: Rule) -> Rule:
        name_version = rule_key(rule)
        if name_version in self._open:
            cycle = [*self._open[self._open.index(name_version) :], name_version]
            shown = " → ".join(f"{name}@{version}" for name, version in cycle)
            raise RuleError.at(rule.ref.span, "cycle", f"rules use each other in a circle: {shown} (E2)")
        if name_version not in self._bound:
            self._open.append(name_version)
            self._bound[name_version] = self._bind(replace(rule, ref=replace(rule.ref, version=name_version[1])))
            self._open.pop()
        return self._bound[name_version]

    def _bind(self, rule: Rule) -> Rule:
        conditions, scope = self._conditions, self._scope
        bound: Rule
        match rule:
            case s.Define():
                bound = replace(rule, steps=tuple(conditions.step(step, scope) for step in rule.steps))
            case s.Metric():
                expr, kind = conditions.expressions.bind(rule.expr, scope)
                if kind.kind in ("set", "map", "point"):
                    raise RuleError.at(rule.expr.span, "type", f"a metric must be a single value, but this is a {kind}")
                bound = replace(rule, expr=expr)
            case s.Segment():
                among = references.bind_segment(rule.among, scope) if rule.among else None
                bound = replace(rule, among=among, cond=conditions.bind(rule.cond, replace(scope, rule=rule.ref.name)))
            case s.Tag():
                bound = self._tag(rule, replace(scope, rule=rule.ref.name))
        published = self._library.get(*rule_key(rule))
        if published is not None and published != bound:
            raise version_taken_error(rule, self.newest(rule.ref.name))
        return bound

    def _tag(self, tag: s.Tag, scope: Scope) -> s.Tag:
        for value in (*(tier.value for tier in tag.tiers), tag.otherwise):
            if isinstance(value, s.Path):
                message = "a tag's value is a number or a text in quotes (N1)"
                raise RuleError.at(value.span, "name", message, f"'{value.ref.name}'")
        self._conditions.expressions.type_of_tag(tag, scope)
        tiers = tuple(replace(tier, cond=self._conditions.bind(tier.cond, scope)) for tier in tag.tiers)
        return replace(tag, tiers=tiers)


def versions_of(nodes: Iterable[s.Node], catalog: Catalog, rules: Rules) -> tuple[str, ...]:
    """Returns every rule and score that bound nodes use directly or indirectly, sorted, such as `touch@2`."""
    found: set[str] = set()
    todo = list(nodes)
    while todo:
        for ref in (node for node in s.walk(todo.pop()) if isinstance(node, s.Ref)):
            name, version = ref.name, ref.version
            if version is None:
                continue
            rule = rules.get(name, version)
            if rule is None and catalog.find_attribute(name, version) is None:
                name = name.partition("_")[2]  # the definition of a recency (V4)
                rule = rules.get(name, version)
            label = f"{name}@{version}"
            if label not in found and rule is not None:
                todo.append(rule)
            found.add(label)
    return tuple(sorted(found))
