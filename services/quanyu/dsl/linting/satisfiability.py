"""Clauses that decide nothing: never true, always true, said already. Each is proved, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from quanyu.dsl import syntax as s
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.linting.findings import (
    Code,
    Findings,
    listed,
    shown,
)
from quanyu.dsl.linting.proving import (
    Claims,
    Formula,
    Place,
    Truth,
    denied,
)
from quanyu.dsl.linting.reasons import reason
from quanyu.dsl.linting.semantic_checks import Pitfalls

Said = tuple[s.Cond, Formula]
Logic = s.AllOf | s.AnyOf | s.Not | s.IncludingUnknown


@dataclass(frozen=True)
class Context:
    """Where a condition stands. It matters only of whom all of `given` is so, conditions and what they say.

    `wanted`: whether it matters where the condition is true, else where it is false, as below a `not`.
    """

    place: Place
    given: tuple[Said, ...] = ()
    wanted: bool = True

    def beside(self, given: Sequence[Said]) -> Context:
        return replace(self, given=(*self.given, *given))

    @property
    def formulas(self) -> list[Formula]:
        return [formula for _, formula in self.given]


class Verdicts:
    def __init__(self, claims: Claims, found: Findings) -> None:
        self._claims, self._found = claims, found
        self._pitfalls = Pitfalls(claims, found)
        self._refuted: Callable[..., bool] = claims.prover.refuted

    def whole(self, cond: s.Cond, context: Context) -> None:
        """Of a condition that stands alone, or in a rule with a population that is given."""
        truth = self._claims.truth(cond, context.place)
        if context.given and not self._refuted(truth.true) and not self._refuted(denied(truth.true)):
            people = listed([shown(given) for given, _ in context.given])
            if self._refuted(*context.formulas, truth.true):
                self._found.add("NEVER_TRUE", cond, f"{shown(cond)} is never true {people}: nobody is ever in")
                return
            if self._refuted(*context.formulas, denied(truth.true)):
                self._found.add("ALWAYS_TRUE", cond, f"{shown(cond)} is always true {people}: it leaves nobody out")
                return
        self._visit(cond, context)

    def _visit(self, node: s.Cond, context: Context) -> None:
        if self._is_settled(node, context):
            return
        self._pitfalls.of(node, context.place, context.formulas, context.wanted)
        match node:
            case s.AllOf() | s.AnyOf():
                self._parts(node, context)
            case s.Not(operand=inner):
                self._visit(inner, replace(context, wanted=not context.wanted))
            case s.IncludingUnknown(operand=inner):
                self._visit(inner, replace(context, wanted=False))
            case _:
                self.filters(node)

    def filters(self, node: s.Node) -> None:
        for step in _filtered(node):
            assert step.where is not None
            self.whole(step.where, Context(self._claims.worths.inside(step)))

    # never, always

    def _is_settled(self, node: s.Cond, context: Context) -> bool:
        """Whether the condition is the same of everybody: then that is found, at the part that makes it so."""
        truth = self._claims.truth(node, context.place)
        for code, formula in _verdicts(truth).items():
            if self._refuted(formula):
                inner = [part for part in _parts_of(node) if self._settles(code, node, part, context)]
                for part in inner:
                    self._is_settled(part, context)
                if not inner:
                    self._settled(code, node, context)
                return True
        return False

    def _settles(self, code: Code, node: s.Cond, part: s.Cond, context: Context) -> bool:
        """Whether the part is so itself, and its whole because of it."""
        truth = self._claims.truth(part, context.place)
        if isinstance(node, s.Not):
            return self._refuted(denied(truth.true) if code == "NEVER_TRUE" else truth.true)
        if isinstance(node, s.IncludingUnknown):
            return self._refuted(truth.true if code == "NEVER_TRUE" else denied(truth.true))
        return self._refuted(_verdicts(truth)[code])

    def _settled(self, code: Code, node: s.Cond, context: Context) -> None:
        before = len(self._found)
        if not isinstance(node, Logic):
            self.filters(node)
            self._pitfalls.windows(node)
        if len(self._found) > before:
            return  # a filter or a window says why
        self._pitfalls.undeclared(node, context.place)
        parts, why = self._needed(code, node, context), reason(node, self._claims, context.place)
        none, every = "it holds nobody", "it leaves nobody out"
        if context.place.step is not None:
            none, every = "no event passes", "every event passes"
        if code == "NEVER_TRUE" and len(parts) > 1:
            others = listed([shown(part) for part in parts[:-1]])
            verb = "is" if len(parts) == 2 else "are"
            self._found.add("NEVER_TRUE", parts[-1], f"{shown(parts[-1])} is never true where {others} {verb}: {none}")
        elif code == "NEVER_TRUE":
            self._found.add("NEVER_TRUE", node, f"{shown(node)} is never true: {why or none}")
        elif code == "ALWAYS_TRUE":
            text = " or ".join(map(shown, parts)) if len(parts) > 1 else shown(node)
            self._found.add("ALWAYS_TRUE", node, f"{text} is always true: {why or every}")
        else:
            self._never_false(node, parts, context)

    def _never_false(self, node: s.Cond, parts: list[s.Cond], context: Context) -> None:
        """Of `or`, the parts that leave out only the unknown."""
        whole = parts[0] if len(parts) == 1 else s.AnyOf(tuple(parts))
        values = self._pitfalls.unknowable(whole, context.place)
        known = tuple(s.IsKnown(value) for value in values)
        if not known:
            return
        asked = known[0] if len(known) == 1 else s.AllOf(known)
        text = " or ".join(map(shown, parts))
        if not self._are_same(whole, asked, context.place):
            self._found.add("NEVER_FALSE", node, f"{text} is false of nobody: it is true or unknown (U2)")
            return
        rest = tuple(part for part in _parts_of(node) if part not in parts)
        offer = s.AnyOf((asked, *rest)) if rest else asked
        names = f"{listed([shown(value) for value in values])} {'is' if len(values) == 1 else 'are'}"
        message = f"{text} is false of nobody: it asks only whether {names} known (U2)"
        self._found.add("NEVER_FALSE", node, message, format_rule(offer))

    def _are_same(self, a: s.Cond, b: s.Cond, place: Place) -> bool:
        one, other = self._claims.truth(a, place).true, self._claims.truth(b, place).true
        return self._refuted(one, denied(other)) and self._refuted(other, denied(one))

    def _needed(self, code: Code, node: s.Cond, context: Context) -> list[s.Cond]:
        """The fewest parts of `and` that exclude each other, of `or` that together leave nobody out."""
        if not isinstance(node, s.AllOf if code == "NEVER_TRUE" else s.AnyOf):
            return [node]
        said = [(part, _verdicts(self._claims.truth(part, context.place))[code]) for part in node.operands]
        return [part for part, _ in self._fewest(said)]

    def _fewest(self, said: Sequence[Said], *others: Formula) -> list[Said]:
        """Without those that are not needed to refute them all with the others."""
        kept = list(said)
        for item in said:
            rest = [other for other in kept if other is not item]
            if rest and self._refuted(*others, *(formula for _, formula in rest)):
                kept = rest
        return kept

    # clauses beside each other

    def _parts(self, node: s.AllOf | s.AnyOf, context: Context) -> None:
        """Where all must hold, a part is judged where the others do; where one is enough, where no other does."""
        joint = isinstance(node, s.AllOf) == context.wanted
        values = [self._said(part, context) for part in node.operands]
        beside = {n: value if joint else denied(value) for n, value in enumerate(values)}
        settled = {n for n, part in enumerate(node.operands) if self._is_settled(part, context)}
        for n in sorted(beside.keys() - settled, reverse=True):
            if self._claims.prover.is_spent:
                return
            part = node.operands[n]
            others = [(node.operands[m], formula) for m, formula in beside.items() if m != n]
            contrary = denied(values[n]) if joint else values[n]
            is_stated = isinstance(part, s.IsKnown) and all(other != part for other, _ in others)
            if others and not is_stated and self._refuted(*context.formulas, *(f for _, f in others), contrary):
                self._idle(node, n, contrary, others, context)
                del beside[n]
        for n in sorted(beside.keys() - settled):
            if self._claims.prover.is_spent:
                return
            given = [(_given(node, node.operands[m]), formula) for m, formula in beside.items() if m != n]
            self._visit(node.operands[n], context.beside(given))

    def _said(self, part: s.Cond, context: Context) -> Formula:
        truth = self._claims.truth(part, context.place)
        return truth.true if context.wanted else truth.false

    def _idle(
        self,
        node: s.AllOf | s.AnyOf,
        n: int,
        contrary: Formula,
        others: list[Said],
        context: Context,
    ) -> None:
        """The part changes nothing; the whole without it is offered."""
        part = node.operands[n]
        rest = tuple(other for m, other in enumerate(node.operands) if m != n)
        offer = format_rule(replace(node, operands=rest) if len(rest) > 1 else rest[0])
        if any(other == part for other, _ in others):
            self._found.add("DUPLICATE_CLAUSE", part, f"{shown(part)} stands here twice", offer)
            return
        if self._refuted(*context.formulas, contrary):
            given = self._fewest(context.given, contrary)
            conds = listed([shown(cond) for cond, _ in given])
            asked = f"where it is asked, {conds} {'holds' if len(given) == 1 else 'hold'}"
            if isinstance(node, s.AnyOf) == context.wanted:
                self._found.add("UNREACHABLE_BRANCH", part, f"{shown(part)} is never true: {asked}", offer)
            else:
                self._found.add("REDUNDANT_CLAUSE", part, f"{shown(part)} changes nothing: {asked} already", offer)
            return
        why = listed([shown(other) for other, _ in self._fewest(others, *context.formulas, contrary)])
        taken = f"those it takes are taken by {why} already" if isinstance(node, s.AnyOf) else f"it follows from {why}"
        self._found.add("REDUNDANT_CLAUSE", part, f"{shown(part)} changes nothing: {taken}", offer)


def _verdicts(truth: Truth) -> dict[Code, Formula]:
    """What is found where the formula is refuted, the strongest first."""
    return {"NEVER_TRUE": truth.true, "ALWAYS_TRUE": denied(truth.true), "NEVER_FALSE": truth.false}


def _given(node: s.AllOf | s.AnyOf, part: s.Cond) -> s.Cond:
    """What is so of a part, where another one is asked for."""
    return part if isinstance(node, s.AllOf) else s.Not(part)


def _parts_of(node: s.Cond) -> tuple[s.Cond, ...]:
    match node:
        case s.AllOf(operands=parts) | s.AnyOf(operands=parts):
            return parts
        case s.Not(operand=inner) | s.IncludingUnknown(operand=inner):
            return (inner,)
    return ()


def _filtered(node: s.Node) -> Iterator[s.Step]:
    """The outermost filtered steps below a node, those of aggregates too."""
    for child in s.iter_children(node):
        if isinstance(child, s.Step) and child.where is not None:
            yield child
        elif isinstance(child, s.Aggregate) and child.where is not None:
            yield s.Step(child.path.ref, child.where, span=child.span)
        else:
            yield from _filtered(child)
