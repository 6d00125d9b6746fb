"""What is said of a rule whoever is asked: no random world contradicts it."""

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from quanyu import dsl
from quanyu.dsl import Catalog, Clock, Library, syntax
from quanyu.dsl.linting.proving import Encoder, Site, negation
from quanyu.tagging.evaluation.catalog import catalog_of, clock_of
from tests.oracle.evaluate import Oracle
from tests.oracle.kindred import clauses, kindred
from tests.oracle.strategies import LIBRARY, conditions
from tests.oracle.world import World, schema
from tests.oracle.worlds import worlds

STATEMENTS = {rule.ref.name: rule for rule in dsl.parse(LIBRARY).statements}  # type: ignore[union-attr]
IDLE = ("REDUNDANT_CLAUSE", "DUPLICATE_CLAUSE", "UNREACHABLE_BRANCH")


class Asked:
    """A world, the oracle's answers in it, and what is claimed of every world at its instant."""

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

    def is_to_come(self, text: str) -> bool:
        days = [node.date for node in syntax.walk(dsl.parse_condition(text)) if isinstance(node, syntax.WasInSegmentOn)]
        return any(self.oracle.windows.moment(day) > self.clock.as_of_ms for day in days)

    def answers(self, text: str, later: int = 0) -> tuple[set[int], set[int], set[int]]:
        """Of whom it is true, unknown, false, so many milliseconds later."""
        then = self.oracle.at(self.oracle.as_of + later)
        true, unknown = then.rule(dsl.parse_condition(text))
        return true, unknown, set(then.universe) - true - unknown


LATER = st.sampled_from([0, 0, 1, 3_600_000, 86_400_000, 40 * 86_400_000])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(kindred() | conditions(), min_size=10, max_size=10), LATER)
def test_what_is_said_of_everybody_holds_in_every_world_and_later_too(
    world: World, texts: list[str], later: int
) -> None:
    asked = Asked(world)
    encoder = asked.encoder()
    for text in (text for text in texts if not asked.is_to_come(text)):
        truth = encoder.encode(asked.bound(text), Site())
        true, unknown, false = asked.answers(text, later)
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


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(kindred(), min_size=10, max_size=10), LATER)
def test_who_is_in_the_one_is_in_what_it_implies(world: World, texts: list[str], later: int) -> None:
    asked = Asked(world)
    encoder = asked.encoder()
    texts = [text for text in texts if not asked.is_to_come(text)]
    truths = {text: encoder.encode(asked.bound(text), Site()) for text in texts}
    for text, truth in truths.items():
        for other, wide in truths.items():
            if encoder.prover.implies(truth.true, wide.true):
                note(f"{text} implies {other}")
                assert asked.answers(text, later)[0] <= asked.answers(other, later)[0]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(clauses(), min_size=10, max_size=10), LATER)
def test_a_text_without_what_changes_nothing_holds_the_same_people(world: World, texts: list[str], later: int) -> None:
    asked = Asked(world)
    for text in (text for text in texts if not asked.is_to_come(text)):
        bound = dsl.check_and_bind(text, asked.catalog, asked.library)
        assert isinstance(bound.condition, syntax.AllOf | syntax.AnyOf)
        places = {(part.span.line, part.span.column) for part in bound.condition.operands}
        for finding in dsl.lint(bound, asked.catalog, asked.library, asked.clock):
            if finding.code in IDLE and (finding.line, finding.column) in places:
                note(f"{text}: {finding}")
                assert asked.answers(text, later)[0] == asked.answers(finding.suggestions[0], later)[0]
