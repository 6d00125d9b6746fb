"""Warns about valid rules that probably do not mean what the author intended.

Every warning is proved for every person and every instant from the clock's on.
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
    join_words,
    quote,
)
from quanyu.dsl.linting.proving import (
    Encoder,
    Formula,
    Site,
    negation,
)
from quanyu.dsl.linting.satisfiability import ClauseContext, SatisfiabilityChecks
from quanyu.dsl.linting.semantic_checks import SemanticChecks
from quanyu.dsl.model.catalog import Catalog
from quanyu.dsl.model.library import BoundRules, Library


def lint(bound: BoundRules, catalog: Catalog, library: Library, clock: Clock) -> list[Finding]:
    """Returns the findings in the order of the text. `library` need not contain the text yet.

    Raises RuleError (reason "time" or "limit") if a window is beyond the calendar or the text is nested too deeply.
    """
    with attach_text(bound.text):
        linter = _Linter(Encoder(catalog, library.publish(bound), clock))
        if bound.condition is not None:
            linter.condition(bound.condition)
        for statement in bound.statements:
            linter.statement(statement)
        return linter.found.in_text_order()


class _Linter:
    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.found = Findings()
        self._satisfiability = SatisfiabilityChecks(encoder, self.found)
        self._semantic_checks = SemanticChecks(encoder, self.found)

    def condition(self, cond: s.Cond) -> None:
        self._satisfiability.check_condition(cond, ClauseContext(Site()))

    def statement(self, statement: s.Statement) -> None:
        match statement:
            case s.Define() | s.Metric():
                self._satisfiability.check_filters(statement)
                self._semantic_checks.check_windows(statement)
            case s.Segment(ref=ref, among=among, cond=cond):
                site = Site(among=among, rule=ref.name)
                given = ((s.InSegment(among), self._in(among)),) if among else ()
                self._satisfiability.check_condition(cond, ClauseContext(site, given))
            case s.Tag():
                self._tag(statement)

    def _in(self, segment: s.Ref) -> Formula:
        return self._encoder.encode(s.InSegment(segment), Site()).true

    def _tag(self, tag: s.Tag) -> None:
        """Checks a tag: the first true tier applies, unknown tiers are skipped, `else` applies to the rest (G7)."""
        site = Site(rule=tag.ref.name)
        earlier: list[tuple[s.Tier, Formula]] = []
        for n, tier in enumerate(tag.tiers):
            self._satisfiability.check_condition(tier.cond, ClauseContext(site))
            true = self._encoder.encode(tier.cond, site).true
            if self._encoder.prover.is_refuted(true, *(formula for _, formula in earlier)):
                self._report_unreachable_tier(tag, n, true, earlier)
            earlier.append((tier, negation(true)))
        if tag.otherwise is not None:
            self._check_else(tag, tag.otherwise, site, [formula for _, formula in earlier])

    def _report_unreachable_tier(
        self, tag: s.Tag, n: int, true: Formula, earlier: list[tuple[s.Tier, Formula]]
    ) -> None:
        tier = tag.tiers[n]
        rest = tuple(other for other in tag.tiers if other is not tier)
        offers = [format_rule(replace(tag, tiers=rest))] if rest else []
        why = "its condition is never true"
        if not self._encoder.prover.is_refuted(true):
            taking = [other for other, formula in earlier if self._encoder.prover.is_refuted(true, formula)]
            values = [quote(other.value) for other in taking] or ["the tiers before it"]
            why = f"{join_words(values)} already applies to everybody"
        message = f"the tier {quote(tier.value)} is never reached: {why} (G7)"
        self.found.add("UNREACHABLE_TIER", tier, message, *offers)

    def _check_else(self, tag: s.Tag, otherwise: s.Expr, site: Site, none: list[Formula]) -> None:
        if self._encoder.prover.is_refuted(*none):
            message = f"`else` is never reached: the tiers apply to everybody, so nobody gets {quote(otherwise)} (G7)"
            self.found.add("UNREACHABLE_ELSE", otherwise, message, format_rule(replace(tag, otherwise=None)))
            return
        unknown = {
            format_rule(value): value
            for tier in tag.tiers
            if self._encoder.prover.is_possible(*none, self._encoder.encode(tier.cond, site).unknown)
            for value in self._semantic_checks.possibly_unknown_values(tier.cond, site)
        }
        if not unknown:
            return
        parts = tuple(s.IsKnown(value) for value in unknown.values())
        last = s.Tier(otherwise, parts[0] if len(parts) == 1 else s.AllOf(parts))
        offer = format_rule(replace(tag, tiers=(*tag.tiers, last), otherwise=None))
        names = join_words([quote(value) for value in unknown.values()])
        message = f"`else` also applies to people with unknown {names}: they get {quote(otherwise)} (G7)"
        self.found.add("ELSE_TAKES_UNKNOWN", otherwise, message, offer)
