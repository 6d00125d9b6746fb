"""Publishing: all rules of a text or none, and their stored form."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from quanyu.dsl import Library, format_rule
from quanyu.dsl.syntax import Tag
from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.storage.database import Database
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.registry.publishing import publish
from quanyu.tagging.storage.store import all_rules
from tests.unit.tagging.sample_workspace import CATALOG, CLOCK, SampleWorkspace

TEXT = """
define touch = order
metric spend = sum(order.amount in last 90d)
segment buyers: did touch ever
segment big among buyers: spend >= 100 and city = 'Beijing'
tag level: 'big' when in segment big; else 'small'
"""


def test_stored_rules_bind_and_compile_as_published(database: Database) -> None:
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


def test_publish_leaves_out_test_blocks(database: Database) -> None:
    test = "test 'it' { given anna did order at 2026-01-02 when as of 2026-02-03 then anna in segment s }"
    shop = SampleWorkspace(Library())
    (rule,) = publish(database, shop, f"{test}\nsegment s: did order ever", "ann")  # type: ignore[arg-type]
    assert (rule.name, rule.text) == ("s", "segment s@1: did order ever")
    with pytest.raises(InvalidInput) as caught:
        publish(database, shop, test, "ann")  # type: ignore[arg-type]
    assert caught.value.reason == "RULE_EMPTY"


def test_publish_stores_nothing_of_a_wrong_text(database: Database) -> None:
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
def test_publish_rejects_a_rule_that_cannot_be_evaluated(database: Database, bad: str, reason: str) -> None:
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("did order ever", "RULE_WITHOUT_NAME"),
        ("", "RULE_EMPTY"),
        (f"segment {'a' * 256}: did order ever", "RULE_NAME"),
    ],
)
def test_publish_rejects_a_text_without_a_usable_name(database: Database, text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        publish(database, SampleWorkspace(Library()), text, "ann")  # type: ignore[arg-type]
    assert caught.value.reason == reason


def test_a_failing_write_in_the_same_transaction_publishes_nothing(database: Database) -> None:
    shop = SampleWorkspace(Library())

    def fail(_session: Session) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        publish(database, shop, "segment s: did order ever", "ann", also=fail)  # type: ignore[arg-type]
    with database.reading() as session:
        assert all_rules(session, "shop") == []
    assert shop.library.newest("s") == 0
