"""Describes what publishing a draft would change: its own rules and the rules that depend on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quanyu.dsl import BoundRules, CompiledRule, RuleError, check_and_bind, dependencies_of, format_rule, rebind
from quanyu.dsl.model.library import Library, Rule, rule_key
from quanyu.engine import Answer, Index
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.references import kind_of
from quanyu.tagging.preview.comparison import RuleChange, VersionPair, compare_versions

# Dependents that are compared; the rest is only counted.
MAX_DEPENDENTS = 100


@dataclass(frozen=True, slots=True)
class Impact:
    """The effect of publishing a draft.

    `changed`: rules of the draft that are published in another version. `dependents`: newest versions that depend on
    them, compared with what they would be if they were published again. `left_out`: dependents beyond the first 100.
    """

    changed: list[RuleChange]
    dependents: list[RuleChange]
    left_out: int
    compiled: list[CompiledRule]
    answer: Answer


def describe_impact(evaluation: EvaluationContext, index: Index, bound: BoundRules) -> Impact:
    """Compares the rules of a draft, and their dependents, with the published versions."""
    new = [
        rule for rule in bound.statements if isinstance(rule, Rule) and rule_key(rule) not in evaluation.library.rules
    ]
    renewed = {
        rule.ref.name: rule_key(rule)[1]
        for rule in sorted(new, key=rule_key)
        if evaluation.library.newest(rule.ref.name)
    }
    own = [VersionPair(name, evaluation.library.newest(name), version) for name, version in renewed.items()]
    republished = _RepublishedDependents(evaluation, bound, renewed)
    drafted = replace(evaluation, library=republished.library)
    found = compare_versions(drafted, index, [*own, *republished.steps])
    dependents = found.changes[len(own) :] + republished.invalid
    return Impact(found.changes[: len(own)], dependents, len(republished.left_out), found.compiled, found.answer)


class _RepublishedDependents:
    """Publishes the newest versions that depend on renewed names again, on top of them, in a library of its own.

    A rule that becomes invalid is listed in `invalid`, and its dependents keep their version. Names beyond the first
    100 are listed in `left_out`.
    """

    def __init__(self, evaluation: EvaluationContext, bound: BoundRules, renewed: dict[str, int]) -> None:
        self.steps: list[VersionPair] = []
        self.invalid: list[RuleChange] = []
        self.left_out: set[str] = set()
        self._catalog = evaluation.catalog
        self._before = evaluation.library
        self.library: Library = evaluation.with_draft(bound).library
        self._versions = dict(renewed)
        self._seen = {rule.ref.name for rule in bound.statements if isinstance(rule, Rule)}
        for name in sorted(self._before.names()) if renewed else ():
            self._visit(name)

    def _visit(self, name: str) -> None:
        """Republishes a rule if it depends on a renewed name; its dependencies come first."""
        if name in self._seen:
            return
        self._seen.add(name)
        rule = self._newest(name)
        used = [used for used, _ in dependencies_of(rule, self._catalog, self._before)]
        for other in used:
            self._visit(other)
        if not any(other in self._versions or other in self.left_out for other in used):
            return
        if len(self.steps) + len(self.invalid) < MAX_DEPENDENTS:
            self._republish(rule)
        else:
            self.left_out.add(name)

    def _republish(self, rule: Rule) -> None:
        name, version = rule_key(rule)
        again = rebind(rule, self._versions, self._catalog, self._before)
        text = format_rule(replace(again, ref=replace(again.ref, version=version + 1)))
        try:
            bound = check_and_bind(text, self._catalog, self.library)
        except RuleError as error:
            self.invalid.append(RuleChange(name, kind_of(rule), version, version + 1, [], [], str(error)))
            return
        self.library = self.library.publish(bound)
        self._versions[name] = version + 1
        self.steps.append(VersionPair(name, version, version + 1))

    def _newest(self, name: str) -> Rule:
        rule = self._before.get(name, self._before.newest(name))
        assert rule is not None
        return rule
