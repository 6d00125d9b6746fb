"""Published rules: stored, listed, and read again as what they were."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanyu.dsl import Library, format_rule
from quanyu.dsl.syntax import Tag
from quanyu.runtime.errors import InvalidInput, NotFound
from quanyu.runtime.storage.database import Database
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.evaluation.references import parse_reference
from quanyu.tagging.registry.publishing import publish
from quanyu.tagging.storage.store import all_rules, find_rule, rules_after
from quanyu.tagging.storage.tables import PublishedRule
from tests.unit.tagging.sample_workspace import CATALOG, CLOCK, SampleWorkspace

TEXT = """
define touch = order
metric spend = sum(order.amount in last 90d)
segment buyers: did touch ever
segment big among buyers: spend >= 100 and city = 'Beijing'
tag level: 'big' when in segment big; else 'small'
"""


def test_a_library_read_again_binds_and_compiles_the_same(database: Database) -> None:
    shop = SampleWorkspace(Library())
    published = publish(database, shop, TEXT, "ann")  # type: ignore[arg-type]
    assert [(rule.name, rule.version, rule.kind) for rule in published] == [
        ("touch", 1, "define"),
        ("spend", 1, "metric"),
        ("buyers", 1, "segment"),
        ("big", 1, "segment"),
        ("level", 1, "tag"),
    ]
    with database.reading() as session:
        again = Library.from_texts(rule.text for rule in all_rules(session, "shop"))
    assert {key: format_rule(rule) for key, rule in again.rules.items()} == {
        key: format_rule(rule) for key, rule in shop.library.rules.items()
    }
    first, second = (EvaluationContext(CATALOG, library, CLOCK) for library in (shop.library, again))
    assert first.compile_segment("big", 1) == second.compile_segment("big", 1)
    assert first.compile_tag("level", 1) == second.compile_tag("level", 1)
    assert first.library.newest_of(Tag) == [("level", 1)]


def test_tests_are_left_out_of_what_is_published(database: Database) -> None:
    test = "test 'it' { given anna did order at 2026-01-02 when as of 2026-02-03 then anna in segment s }"
    shop = SampleWorkspace(Library())
    (rule,) = publish(database, shop, f"{test}\nsegment s: did order ever", "ann")  # type: ignore[arg-type]
    assert (rule.name, rule.text) == ("s", "segment s@1: did order ever")
    with pytest.raises(InvalidInput) as caught:
        publish(database, shop, test, "ann")  # type: ignore[arg-type]
    assert caught.value.reason == "RULE_EMPTY"


def test_a_refused_text_publishes_nothing(database: Database) -> None:
    shop = SampleWorkspace(Library())
    with pytest.raises(InvalidInput) as caught:
        publish(database, shop, "segment good: did order ever\nsegment bad: did nothing ever", "ann")  # type: ignore[arg-type]
    assert caught.value.reason == "RULE_NAME"
    assert (caught.value.metadata["line"], caught.value.metadata["column"]) == ("2", "18")
    assert "  segment bad: did nothing ever\n" in caught.value.message
    with database.reading() as session:
        assert all_rules(session, "shop") == []
    assert list(shop.library.names()) == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("tag bad: 'a' when city matches '((('; else 'b'", "RULE_VALUE"),
        ("segment bad: city = 'Nowhere'", "RULE_NOT_COUNTABLE"),
        ("segment bad: did order on 9999-12-31", "RULE_TIME"),
    ],
)
def test_what_can_never_be_counted_is_not_published(database: Database, bad: str, reason: str) -> None:
    shop = SampleWorkspace(Library())
    with pytest.raises(InvalidInput) as caught:
        publish(database, shop, f"segment good: did order ever\n{bad}", "ann")  # type: ignore[arg-type]
    assert caught.value.reason == reason
    with database.reading() as session:
        assert all_rules(session, "shop") == []
    assert list(shop.library.names()) == []


def test_publishing_again_keeps_author_and_time(database: Database) -> None:
    shop = SampleWorkspace(Library())
    (first,) = publish(database, shop, "segment s: did order ever", "ann")  # type: ignore[arg-type]
    (again,) = publish(database, shop, "segment s@1:   did order ever", "bob")  # type: ignore[arg-type]
    assert (again.author, again.published_at_ms, again.text) == ("ann", first.published_at_ms, first.text)


def test_names_with_and_without_versions() -> None:
    evaluation = EvaluationContext(CATALOG, Library(), CLOCK)
    bound = evaluation.bind("segment s: did order ever\nsegment s@3: city = 'Beijing'\ndefine d = order")
    evaluation = EvaluationContext(CATALOG, evaluation.library.publish(bound), CLOCK)
    assert [parse_reference(text) for text in ("s", "s@1", "s@3")] == [("s", 0), ("s", 1), ("s", 3)]
    assert [evaluation.resolve_version(*parse_reference(text)) for text in ("s", "s@1", "s@3")] == [3, 1, 3]
    for missing in ("s@2", "t", "@1", ""):
        with pytest.raises(NotFound):
            evaluation.resolve_version(*parse_reference(missing))
    with pytest.raises(NotFound, match="did you mean s"):
        evaluation.resolve_version("ss", 0)
    for wrong in ("s@", "s@one", "s@-1"):
        with pytest.raises(InvalidInput):
            parse_reference(wrong)
    with pytest.raises(InvalidInput, match="d@1 is a definition; this call needs a segment"):
        evaluation.compile_segment("d", 1)


@settings(max_examples=25, deadline=None)
@given(
    versions=st.lists(st.tuples(st.sampled_from(["a", "b", "客户", "z"]), st.integers(1, 5)), unique=True, max_size=12),
    limit=st.integers(1, 5),
)
def test_pages_joined_are_all_rules_in_order(versions: list[tuple[str, int]], limit: int) -> None:
    from quanyu.runtime.storage.database import Base

    database = Database("sqlite://")
    Base.metadata.create_all(database.engine, [Base.metadata.tables[PublishedRule.__tablename__]])
    with database.writing() as session:
        for workspace in ("shop", "other"):
            for name, version in versions:
                session.add(
                    PublishedRule(
                        workspace=workspace,
                        name=name,
                        version=version,
                        kind="define",
                        text="",
                        author="",
                        published_at_ms=0,
                    )
                )
    found: list[tuple[str, int]] = []
    with database.reading() as session:
        while page := rules_after(session, "shop", *(found[-1] if found else ("", 0)), limit):
            found += [(rule.name, rule.version) for rule in page]
        newest = {name: find_rule(session, "shop", name, 0) for name, _ in versions}
    database.close()
    assert found == sorted(versions)
    assert {name: rule.version for name, rule in newest.items() if rule} == {
        name: max(v for n, v in versions if n == name) for name, _ in versions
    }
