"""Finds clauses that are never true, always true or redundant. Every finding is proved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from quanyu.dsl import syntax as s
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.linting.constant_conditions import explain_constant
from quanyu.dsl.linting.findings import (
    Code,
    Findings,
    join_words,
    quote,
)
from quanyu.dsl.linting.proving import (
    Encoder,
    Formula,
    Site,
    Truth,
    negation,
)
from quanyu.dsl.linting.semantic_checks import SemanticChecks

Premise = tuple[s.Cond, Formula]
Logic = s.AllOf | s.AnyOf | s.Not | s.IncludingUnknown


@dataclass(frozen=True)
class ClauseContext:
    """The context of a condition: it matters only for people for whom all premises in `given` hold.

    `is_positive` tells whether the true cases of the condition matter, or the false ones, as below a `not`.
    """

    site: Site
    given: tuple[Premise, ...] = ()
    is_positive: bool = True

    def beside(self, given: Sequence[Premise]) -> ClauseContext:
        return replace(self, given=(*self.given, *given))

    @property
    def formulas(self) -> list[Formula]:
        return [formula for _, formula in self.given]


class SatisfiabilityChecks:
    def __init__(self, encoder: Encoder, found: Findings) -> None:
        self._encoder, self._found = encoder, found
        self._semantic_checks = SemanticChecks(encoder, found)
        self._is_refuted: Callable[..., bool] = encoder.prover.is_refuted

    def check_condition(self, cond: s.Cond, context: ClauseContext) -> None:
        """Checks a whole condition, possibly within the population of its rule."""
        truth = self._encoder.encode(cond, context.site)
        if context.given and not self._is_refuted(truth.true) and not self._is_refuted(negation(truth.true)):
            people = join_words([quote(given) for given, _ in context.given])
            if self._is_refuted(*context.formulas, truth.true):
                self._found.add("NEVER_TRUE", cond, f"{quote(cond)} is never true {people}: it matches nobody")
                return
            if self._is_refuted(*context.formulas, negation(truth.true)):
                self._found.add("ALWAYS_TRUE", cond, f"{quote(cond)} is always true {people}: it excludes nobody")
                return
        self._visit(cond, context)

    def _visit(self, node: s.Cond, context: ClauseContext) -> None:
        if self._reports_constant(node, context):
            return
        self._semantic_checks.check(node, context.site, context.formulas, context.is_positive)
        match node:
            case s.AllOf() | s.AnyOf():
                self._check_operands(node, context)
            case s.Not(operand=inner):
                self._visit(inner, replace(context, is_positive=not context.is_positive))
            case s.IncludingUnknown(operand=inner):
                self._visit(inner, replace(context, is_positive=False))
            case _:
                self.check_filters(node)

    def check_filters(self, node: s.Node) -> None:
        for step in _filtered_steps(node):
            assert step.where is not None
            self.check_condition(step.where, ClauseContext(self._encoder.values.site_inside(step)))

    # never, always

    def _reports_constant(self, node: s.Cond, context: ClauseContext) -> bool:
        """Reports a condition with the same value for everybody, at the part that causes it. Returns whether it did."""
        truth = self._encoder.encode(node, context.site)
        for code, formula in _refutations(truth).items():
            if self._is_refuted(formula):
                inner = [part for part in _operands(node) if self._is_cause(code, node, part, context)]
                for part in inner:
                    self._reports_constant(part, context)
                if not inner:
                    self._report_constant(code, node, context)
                return True
        return False

    def _is_cause(self, code: Code, node: s.Cond, part: s.Cond, context: ClauseContext) -> bool:
        """Returns whether the part alone causes the constant value of the whole."""
        truth = self._encoder.encode(part, context.site)
        if isinstance(node, s.Not):
            return self._is_refuted(negation(truth.true) if code == "NEVER_TRUE" else truth.true)
        if isinstance(node, s.IncludingUnknown):
            return self._is_refuted(truth.true if code == "NEVER_TRUE" else negation(truth.true))
        return self._is_refuted(_refutations(truth)[code])

    def _report_constant(self, code: Code, node: s.Cond, context: ClauseContext) -> None:
        before = len(self._found)
        if not isinstance(node, Logic):
            self.check_filters(node)
            self._semantic_checks.check_windows(node)
        if len(self._found) > before:
            return  # a finding about a filter or a window explains it
        self._semantic_checks.check_declared_values(node, context.site)
        parts, why = self._minimal_parts(code, node, context), explain_constant(node, self._encoder, context.site)
        none, every = "it matches nobody", "it excludes nobody"
        if context.site.step is not None:
            none, every = "no event passes", "every event passes"
        if code == "NEVER_TRUE" and len(parts) > 1:
            others = join_words([quote(part) for part in parts[:-1]])
            verb = "is" if len(parts) == 2 else "are"
            self._found.add("NEVER_TRUE", parts[-1], f"{quote(parts[-1])} is never true where {others} {verb}: {none}")
        elif code == "NEVER_TRUE":
            self._found.add("NEVER_TRUE", node, f"{quote(node)} is never true: {why or none}")
        elif code == "ALWAYS_TRUE":
            text = " or ".join(map(quote, parts)) if len(parts) > 1 else quote(node)
            self._found.add("ALWAYS_TRUE", node, f"{text} is always true: {why or every}")
        else:
            self._never_false(node, parts, context)

    def _never_false(self, node: s.Cond, parts: list[s.Cond], context: ClauseContext) -> None:
        """Reports a condition that is never false because it excludes only unknown values."""
        whole = parts[0] if len(parts) == 1 else s.AnyOf(tuple(parts))
        values = self._semantic_checks.possibly_unknown_values(whole, context.site)
        known = tuple(s.IsKnown(value) for value in values)
        if not known:
            return
        known_values = known[0] if len(known) == 1 else s.AllOf(known)
        text = " or ".join(map(quote, parts))
        if not self._are_same(whole, known_values, context.site):
            self._found.add("NEVER_FALSE", node, f"{text} is never false: it is true or unknown (U2)")
            return
        rest = tuple(part for part in _operands(node) if part not in parts)
        offer = s.AnyOf((known_values, *rest)) if rest else known_values
        names = f"{join_words([quote(value) for value in values])} {'is' if len(values) == 1 else 'are'}"
        message = f"{text} is never false: it only tests whether {names} known (U2)"
        self._found.add("NEVER_FALSE", node, message, format_rule(offer))

    def _are_same(self, a: s.Cond, b: s.Cond, site: Site) -> bool:
        one, other = self._encoder.encode(a, site).true, self._encoder.encode(b, site).true
        return self._is_refuted(one, negation(other)) and self._is_refuted(other, negation(one))

    def _minimal_parts(self, code: Code, node: s.Cond, context: ClauseContext) -> list[s.Cond]:
        """Returns a minimal set of operands of `and` that contradict each other, or of `or` that cover everybody."""
        if not isinstance(node, s.AllOf if code == "NEVER_TRUE" else s.AnyOf):
            return [node]
        premises = [(part, _refutations(self._encoder.encode(part, context.site))[code]) for part in node.operands]
        return [part for part, _ in self._minimal_premises(premises)]

    def _minimal_premises(self, premises: Sequence[Premise], *others: Formula) -> list[Premise]:
        """Drops the premises that are not needed to refute all of them together with `others`."""
        kept = list(premises)
        for item in premises:
            rest = [other for other in kept if other is not item]
            if rest and self._is_refuted(*others, *(formula for _, formula in rest)):
                kept = rest
        return kept

    # operands

    def _check_operands(self, node: s.AllOf | s.AnyOf, context: ClauseContext) -> None:
        """Checks each operand where it decides: where the others hold for `and`, where no other holds for `or`."""
        joint = isinstance(node, s.AllOf) == context.is_positive
        values = [self._premise_formula(part, context) for part in node.operands]
        beside = {n: value if joint else negation(value) for n, value in enumerate(values)}
        settled = {n for n, part in enumerate(node.operands) if self._reports_constant(part, context)}
        for n in sorted(beside.keys() - settled, reverse=True):
            if self._encoder.prover.is_exhausted:
                return
            part = node.operands[n]
            others = [(node.operands[m], formula) for m, formula in beside.items() if m != n]
            opposite = negation(values[n]) if joint else values[n]
            is_stated = isinstance(part, s.IsKnown) and all(other != part for other, _ in others)
            if others and not is_stated and self._is_refuted(*context.formulas, *(f for _, f in others), opposite):
                self._report_redundant(node, n, opposite, others, context)
                del beside[n]
        for n in sorted(beside.keys() - settled):
            if self._encoder.prover.is_exhausted:
                return
            given = [(_as_premise(node, node.operands[m]), formula) for m, formula in beside.items() if m != n]
            self._visit(node.operands[n], context.beside(given))

    def _premise_formula(self, part: s.Cond, context: ClauseContext) -> Formula:
        truth = self._encoder.encode(part, context.site)
        return truth.true if context.is_positive else truth.false

    def _report_redundant(
        self,
        node: s.AllOf | s.AnyOf,
        n: int,
        opposite: Formula,
        others: list[Premise],
        context: ClauseContext,
    ) -> None:
        """Reports an operand that changes nothing and suggests the condition without it."""
        part = node.operands[n]
        rest = tuple(other for m, other in enumerate(node.operands) if m != n)
        offer = format_rule(replace(node, operands=rest) if len(rest) > 1 else rest[0])
        if any(other == part for other, _ in others):
            self._found.add("DUPLICATE_CLAUSE", part, f"{quote(part)} occurs here twice", offer)
            return
        if self._is_refuted(*context.formulas, opposite):
            given = self._minimal_premises(context.given, opposite)
            conds = join_words([quote(cond) for cond, _ in given])
            reason = f"where it matters, {conds} {'holds' if len(given) == 1 else 'hold'}"
            if isinstance(node, s.AnyOf) == context.is_positive:
                self._found.add("UNREACHABLE_BRANCH", part, f"{quote(part)} is never true: {reason}", offer)
            else:
                self._found.add("REDUNDANT_CLAUSE", part, f"{quote(part)} changes nothing: {reason} already", offer)
            return
        why = join_words([quote(other) for other, _ in self._minimal_premises(others, *context.formulas, opposite)])
        reason = (
            f"{why} already selects everybody that it selects"
            if isinstance(node, s.AnyOf)
            else f"it follows from {why}"
        )
        self._found.add("REDUNDANT_CLAUSE", part, f"{quote(part)} changes nothing: {reason}", offer)


def _refutations(truth: Truth) -> dict[Code, Formula]:
    """Returns for each finding the formula whose refutation proves it, the strongest finding first."""
    return {"NEVER_TRUE": truth.true, "ALWAYS_TRUE": negation(truth.true), "NEVER_FALSE": truth.false}


def _as_premise(node: s.AllOf | s.AnyOf, part: s.Cond) -> s.Cond:
    """Returns the condition that holds for one operand where the other operand decides."""
    return part if isinstance(node, s.AllOf) else s.Not(part)


def _operands(node: s.Cond) -> tuple[s.Cond, ...]:
    match node:
        case s.AllOf(operands=parts) | s.AnyOf(operands=parts):
            return parts
        case s.Not(operand=inner) | s.IncludingUnknown(operand=inner):
            return (inner,)
    return ()


def _filtered_steps(node: s.Node) -> Iterator[s.Step]:
    """Yields the outermost filtered steps below a node, including aggregates."""
    for child in s.iter_children(node):
        if isinstance(child, s.Step) and child.where is not None:
            yield child
        elif isinstance(child, s.Aggregate) and child.where is not None:
            yield s.Step(child.path.ref, child.where, span=child.span)
        else:
            yield from _filtered_steps(child)
