"""Rollbacks: the text of an old version becomes the next version, once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Library, describe_differences
from quanyu.engine import Limits
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.runtime.storage.database import Base, Database
from quanyu.tagging.registry.publishing import publish
from quanyu.tagging.registry.rollback import roll_back
from quanyu.tagging.storage.tables import PublishedRule
from tests.seed import examples
from tests.unit.tagging.sample_workspace import CATALOG, EmptyIndex, SampleWorkspace

TEXTS = ["city = 'Beijing'", "did order", "did order and city = 'Beijing'", "in segment base or city is unknown"]


class EmptyWorkspace(SampleWorkspace):
    """A sample workspace in which no set has members."""

    def find(self, plan: bytes, known_at: int | None = None, limits: Limits | None = None) -> EmptyIndex:
        return EmptyIndex()


@examples(40)
@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=5), st.data())
def test_a_rollback_means_the_same_as_the_old_version(texts: list[str], data: st.DataObject) -> None:
    database = Database("sqlite://")
    Base.metadata.create_all(database.engine, [Base.metadata.tables[PublishedRule.__tablename__]])
    shop = EmptyWorkspace(Library())
    publish(database, shop, "segment base: did order", "ann")  # type: ignore[arg-type]
    for version, text in enumerate(texts, 1):
        publish(database, shop, f"segment s@{version}: {text}", "ann")  # type: ignore[arg-type]
    back = data.draw(st.integers(1, len(texts)))
    rule, found = roll_back(database, shop, "s", back, "bob")  # type: ignore[arg-type]
    is_there = texts[back - 1] == texts[-1]
    assert (rule.version, rule.author) == ((len(texts), "ann") if is_there else (len(texts) + 1, "bob"))
    old, new = shop.library.rules["s", back], shop.library.rules["s", rule.version]
    assert describe_differences(old, new, shop.library, shop.library, CATALOG) == []
    assert (found.changes[0].differences == []) == is_there
    again, nothing = roll_back(database, shop, "s", back, "cid")  # type: ignore[arg-type]
    assert (again.version, again.author, nothing.changes[0].differences) == (rule.version, rule.author, [])
    database.close()


def test_a_rollback_names_its_version() -> None:
    database = Database("sqlite://")
    with pytest.raises(InvalidInput) as caught:
        roll_back(database, EmptyWorkspace(Library()), "s", 0, "bob")  # type: ignore[arg-type]
    assert caught.value.reason == "NO_VERSION"
    with pytest.raises(NotFound):
        roll_back(database, EmptyWorkspace(Library()), "s", 1, "bob")  # type: ignore[arg-type]
    database.close()
