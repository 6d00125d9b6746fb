"""What is right by the letter and probably not meant: warnings about a checked text, each proved of every person and
of every instant from the clock's on, never found by trying.
"""

from __future__ import annotations

from dataclasses import replace

from quanyu.dsl import syntax as s
from quanyu.dsl.calendar.windows import Clock
from quanyu.dsl.errors import attach_text
from quanyu.dsl.formatting.formatter import format_rule
from quanyu.dsl.linting.findings import (
    Finding,
    Findings,
    listed,
    shown,
)
from quanyu.dsl.linting.proving import (
    Claims,
    Formula,
    Place,
    denied,
)
from quanyu.dsl.linting.satisfiability import Context, Verdicts
from quanyu.dsl.linting.semantic_checks import Pitfalls
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import BoundRules, Library


def lint(bound: BoundRules, catalog: Catalog, library: Library, clock: Clock) -> list[Finding]:
    """In the order of the text. `library` need not hold the text yet.

    Raises RuleError (reason "time" or "limit") where a window reaches beyond the calendar or the text is too deep.
    """
    with attach_text(bound.text):
        linter = _Linter(Claims(catalog, library.publish(bound), clock))
        if bound.condition is not None:
            linter.condition(bound.condition)
        for statement in bound.statements:
            linter.statement(statement)
        return linter.found.in_order()


class _Linter:
    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self.found = Findings()
        self._verdicts = Verdicts(claims, self.found)
        self._pitfalls = Pitfalls(claims, self.found)

    def condition(self, cond: s.Cond) -> None:
        self._verdicts.whole(cond, Context(Place()))

    def statement(self, statement: s.Statement) -> None:
        match statement:
            case s.Define() | s.Metric():
                self._verdicts.filters(statement)
                self._pitfalls.windows(statement)
            case s.Segment(ref=ref, among=among, cond=cond):
                place = Place(among=among, rule=ref.name)
                given = ((s.InSegment(among), self._in(among)),) if among else ()
                self._verdicts.whole(cond, Context(place, given))
            case s.Tag():
                self._tag(statement)

    def _in(self, segment: s.Ref) -> Formula:
        return self._claims.truth(s.InSegment(segment), Place()).true

    def _tag(self, tag: s.Tag) -> None:
        """The first tier that is true wins, an unknown one is passed over, `else` takes the rest (G7)."""
        place = Place(rule=tag.ref.name)
        earlier: list[tuple[s.Tier, Formula]] = []
        for n, tier in enumerate(tag.tiers):
            self._verdicts.whole(tier.cond, Context(place))
            true = self._claims.truth(tier.cond, place).true
            if self._claims.prover.refuted(true, *(formula for _, formula in earlier)):
                self._unreachable(tag, n, true, earlier)
            earlier.append((tier, denied(true)))
        if tag.otherwise is not None:
            self._else(tag, tag.otherwise, place, [formula for _, formula in earlier])

    def _unreachable(self, tag: s.Tag, n: int, true: Formula, earlier: list[tuple[s.Tier, Formula]]) -> None:
        tier = tag.tiers[n]
        rest = tuple(other for other in tag.tiers if other is not tier)
        offers = [format_rule(replace(tag, tiers=rest))] if rest else []
        why = "its condition is never true"
        if not self._claims.prover.refuted(true):
            taking = [other for other, formula in earlier if self._claims.prover.refuted(true, formula)]
            values = [shown(other.value) for other in taking] or ["the tiers before it"]
            why = f"{listed(values)} takes everybody first"
        message = f"the tier {shown(tier.value)} is never reached: {why} (G7)"
        self.found.add("UNREACHABLE_TIER", tier, message, *offers)

    def _else(self, tag: s.Tag, otherwise: s.Expr, place: Place, none: list[Formula]) -> None:
        if self._claims.prover.refuted(*none):
            message = f"`else` is never reached: the tiers take everybody, so nobody gets {shown(otherwise)} (G7)"
            self.found.add("UNREACHABLE_ELSE", otherwise, message, format_rule(replace(tag, otherwise=None)))
            return
        unknown = {
            format_rule(value): value
            for tier in tag.tiers
            if self._claims.prover.possible(*none, self._claims.truth(tier.cond, place).unknown)
            for value in self._pitfalls.unknowable(tier.cond, place)
        }
        if not unknown:
            return
        parts = tuple(s.IsKnown(value) for value in unknown.values())
        last = s.Tier(otherwise, parts[0] if len(parts) == 1 else s.AllOf(parts))
        offer = format_rule(replace(tag, tiers=(*tag.tiers, last), otherwise=None))
        names = listed([shown(value) for value in unknown.values()])
        message = f"`else` also takes those with unknown {names}: they get {shown(otherwise)} (G7)"
        self.found.add("ELSE_TAKES_UNKNOWN", otherwise, message, offer)
