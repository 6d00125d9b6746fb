"""The engine evaluates each plan that the compiler makes from a bound rule."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.api.event.v1 import event_pb2 as pb
from quanyu.dsl import Catalog, Field, RuleError, build_plan, check_and_bind, compile_condition, format_rule
from quanyu.dsl import syntax as s
from quanyu.engine import Index, Ingestor, LocalLog, Resolver
from quanyu.tagging.evaluation.catalog import KINDS
from tests.seed import examples
from tests.unit.dsl import trees
from tests.unit.dsl.renamer import Renamer
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, NOW

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
TYPES = {kind: declared for declared, kind in KINDS.items()}


def fields(declared: Iterable[Field]) -> list[pb.Field]:
    return [
        pb.Field(
            name=f.name,
            type=TYPES[f.kind],  # type: ignore[arg-type]
            currency=f.currency,
            values=f.values,
            ordered=f.ordered,
            aliases=f.aliases,
            reference=f.reference,
        )
        for f in declared
    ]


def schema(catalog: Catalog) -> pb.Schema:
    return pb.Schema(
        event_types=[
            pb.EventType(name=e.name, properties=fields(e.properties.values()), aliases=e.aliases)
            for e in catalog.event_types.values()
        ],
        attributes=fields(catalog.attributes.values()),
        catalogs=[
            pb.Catalog(name=c.name, kind=pb.Catalog.KIND_GOODS, attributes=fields(c.attributes.values()))
            for c in catalog.catalogs.values()
        ],
    )


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Returns the index of a workspace with a schema and no events."""
    folder: Path = tmp_path_factory.mktemp("engine")
    raw, rejects = LocalLog.create(str(folder / "raw")), LocalLog.create(str(folder / "rejects"))
    ingestor = Ingestor(raw, rejects, str(folder / "ingest"))
    ingestor.put_schema(schema(CATALOG).SerializeToString(), NOW)
    ingestor.close()
    resolver, index = Resolver(str(folder / "identity")), Index(str(folder / "index"))
    index.fold([(offset, resolver.fold(offset, frame)) for offset, frame in raw.read(0, 1 << 30)])
    yield index
    raw.close()
    rejects.close()


@examples(300)
@given(trees.conditions, st.randoms(use_true_random=False))
def test_the_engine_evaluates_each_compiled_condition(index: Index, cond: s.Cond, chosen: random.Random) -> None:
    text = format_rule(Renamer(chosen).tree(cond))
    try:
        bound = check_and_bind(text, CATALOG, LIBRARY)
        compiled = compile_condition(bound, LIBRARY, CATALOG, CLOCK)
    except RuleError:
        return
    if "churn_risk@3" not in bound.versions and "churn_risk@4" not in bound.versions:  # no model has set these scores
        index.evaluate(build_plan(NOW, compiled))
