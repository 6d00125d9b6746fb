"""Single conditions and values of a rule."""

from quanyu.dsl import PartCompiler
from quanyu.dsl import syntax as s
from quanyu.dsl.planning import nodes
from quanyu.dsl.planning.literals import Ago
from quanyu.dsl.planning.serializer import to_json
from tests.unit.dsl.planning.compiled import DAY
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, bind


def test_roots_of_a_segment_have_its_population() -> None:
    library = LIBRARY.publish(bind("segment b: did order segment rich among b: points > 5"))
    segment = library.get("rich", 1)
    assert isinstance(segment, s.Segment)
    parts = PartCompiler(segment, library, CATALOG, CLOCK)
    root, population = parts.compile_root(segment.cond), parts.compile_population()
    assert root.among == population.among is not None
    assert to_json(population.cond) == {"op": "constant", "value": True}


def test_a_relative_root_has_distances_instead_of_instants() -> None:
    cond = bind("did order in last 30d").condition
    assert cond is not None
    root, valid_ms = PartCompiler(None, LIBRARY, CATALOG, CLOCK).compile_relative_root(cond)
    assert isinstance(root.cond, nodes.Happened)
    assert (root.cond.events.start, root.cond.events.end, valid_ms) == (Ago(30 * DAY), Ago(0), None)


def test_a_value_comes_with_its_type() -> None:
    value, kind = PartCompiler(None, LIBRARY, CATALOG, CLOCK).compile_value(s.Path(s.Ref("points")))
    assert value == nodes.Attribute("points", None)
    assert kind.numeric
