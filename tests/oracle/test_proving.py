"""Checks that no random world contradicts what the prover claims of all people."""

from hypothesis import given, note
from hypothesis import strategies as st

from quanyu import dsl
from quanyu.dsl import Catalog, Clock, Library, syntax
from quanyu.dsl.linting.proving import Encoder, Site, negation
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from tests.oracle.evaluator.evaluator import Oracle
from tests.oracle.generators.conditions import LIBRARY, conditions
from tests.oracle.generators.related_conditions import clause_chains, related_conditions
from tests.oracle.generators.worlds import worlds
from tests.oracle.world import World, schema
from tests.seed import examples

STATEMENTS = {rule.ref.name: rule for rule in dsl.parse(LIBRARY).statements}  # type: ignore[union-attr]
NO_EFFECT = ("REDUNDANT_CLAUSE", "DUPLICATE_CLAUSE", "UNREACHABLE_BRANCH")


class ProofWorld:
    """A random world with its naive evaluator and a prover for its schema and instant."""

    def __init__(self, world: World) -> None:
        declared = schema(world)
        self.catalog: Catalog = catalog_of(declared, ["pos", "miniapp", "web"])
        self.clock: Clock = clock_of(declared.settings, world.as_of, 0)
        self.library = Library().publish(dsl.check_and_bind(LIBRARY, self.catalog, Library()))
        self.oracle = Oracle(world, STATEMENTS, {person: person for person in world.people()})

    def encoder(self) -> Encoder:
        return Encoder(self.catalog, self.library, self.clock)

    def bound(self, text: str) -> syntax.Cond:
        cond = dsl.check_and_bind(text, self.catalog, self.library).condition
        assert cond is not None
        return cond

    def asks_about_the_future(self, text: str) -> bool:
        days = [node.date for node in syntax.walk(dsl.parse_condition(text)) if isinstance(node, syntax.WasInSegmentOn)]
        return any(self.oracle.windows.moment(day) > self.clock.as_of_ms for day in days)

    def answers(self, text: str, later: int = 0) -> tuple[set[int], set[int], set[int]]:
        """Returns the people for whom a text is true, unknown and false, `later` milliseconds after as-of."""
        then = self.oracle.at(self.oracle.as_of + later)
        true, unknown = then.rule(dsl.parse_condition(text))
        return true, unknown, set(then.universe) - true - unknown


LATER = st.sampled_from([0, 0, 1, 3_600_000, 86_400_000, 40 * 86_400_000])


@examples(60)
@given(worlds(), st.lists(related_conditions() | conditions(), min_size=10, max_size=10), LATER)
def test_a_condition_that_the_prover_refutes_is_true_of_nobody_now_or_later(
    world: World, texts: list[str], later: int
) -> None:
    proof_world = ProofWorld(world)
    encoder = proof_world.encoder()
    for text in (text for text in texts if not proof_world.asks_about_the_future(text)):
        truth = encoder.encode(proof_world.bound(text), Site())
        true, unknown, false = proof_world.answers(text, later)
        note(text)
        if encoder.prover.is_refuted(truth.true):
            assert not true
        if encoder.prover.is_refuted(truth.false):
            assert not false
        if encoder.prover.is_refuted(truth.unknown):
            assert not unknown
        if encoder.prover.is_refuted(negation(truth.true)):
            assert not unknown
            assert not false


@examples(30)
@given(worlds(), st.lists(related_conditions(), min_size=10, max_size=10), LATER)
def test_members_of_a_condition_are_members_of_each_condition_it_implies(
    world: World, texts: list[str], later: int
) -> None:
    proof_world = ProofWorld(world)
    encoder = proof_world.encoder()
    texts = [text for text in texts if not proof_world.asks_about_the_future(text)]
    truths = {text: encoder.encode(proof_world.bound(text), Site()) for text in texts}
    for text, truth in truths.items():
        for other, wide in truths.items():
            if encoder.prover.implies(truth.true, wide.true):
                note(f"{text} implies {other}")
                assert proof_world.answers(text, later)[0] <= proof_world.answers(other, later)[0]


@examples(40)
@given(worlds(), st.lists(clause_chains(), min_size=10, max_size=10), LATER)
def test_removing_a_clause_that_lint_calls_redundant_keeps_the_members(
    world: World, texts: list[str], later: int
) -> None:
    proof_world = ProofWorld(world)
    for text in (text for text in texts if not proof_world.asks_about_the_future(text)):
        bound = dsl.check_and_bind(text, proof_world.catalog, proof_world.library)
        assert isinstance(bound.condition, syntax.AllOf | syntax.AnyOf)
        places = {(part.span.line, part.span.column) for part in bound.condition.operands}
        for finding in dsl.lint(bound, proof_world.catalog, proof_world.library, proof_world.clock):
            if finding.code in NO_EFFECT and (finding.line, finding.column) in places:
                note(f"{text}: {finding}")
                assert proof_world.answers(text, later)[0] == proof_world.answers(finding.suggestions[0], later)[0]
