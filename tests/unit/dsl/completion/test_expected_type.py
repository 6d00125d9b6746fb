"""The type that a value at a cursor must have."""

import pytest

from quanyu.dsl.binding.references import Scope
from quanyu.dsl.completion.completer import complete
from quanyu.dsl.completion.cursor import locate_cursor
from quanyu.dsl.completion.expected_type import (
    ExpectedType,
    find_last,
    infer_expected_type,
    infer_type_before,
    resolve_scope,
)
from quanyu.dsl.model.types import Type
from tests.unit.dsl.completion.at_bar import at_bar, labels
from tests.unit.dsl.world import CATALOG, LIBRARY


def expected_after(text: str) -> ExpectedType:
    cursor = locate_cursor(text, len(text))
    assert cursor is not None
    return infer_expected_type(cursor, Scope(CATALOG, LIBRARY))


def test_only_values_of_a_fitting_type_are_offered() -> None:
    assert labels("sum(order.|") == ["amount", "quantity", "product"]
    assert labels("sum(order.product.|") == ["price"]
    assert labels("anniversary of |") == ["renewal", "birthday", "born"]
    assert {item.label for item in at_bar("home within 3km of |").items if item.kind == "attribute"} == {"home"}
    shown = {item.label for item in at_bar("points > |").items if item.kind in ("attribute", "metric", "tag")}
    assert shown == {"points", "churn_risk"}
    assert not [item for item in at_bar("city > |").items if item.kind in ("attribute", "value", "text", "number")]
    assert "7d" in labels("last_touch > |")
    assert "1" not in labels("last_touch > |")


@pytest.mark.parametrize("left", [" + ".join(["points"] * 102), "2026-02-30", "0d", "(91.0, 0)"])
def test_an_invalid_left_operand_allows_every_type(left: str) -> None:
    assert complete(f"{left} > ", len(left) + 3, CATALOG, LIBRARY).start == len(left) + 3


@pytest.mark.parametrize(
    ("text", "kind", "is_ordered", "is_between", "attribute"),
    [
        ("level = ", "enum", False, False, "level"),
        ("points > ", "number", True, False, "points"),
        ("points between 1 and ", "number", True, True, "points"),
        ("city in ['a', ", "text", False, False, "city"),
        ("channel in [", "set", False, False, "channel"),
        ("count(order) != ", "number", False, False, ""),
    ],
)
def test_the_left_operand_decides_the_type(
    text: str, kind: str, is_ordered: bool, is_between: bool, attribute: str
) -> None:
    expected = expected_after(text)
    assert expected.type is not None
    assert expected.type.kind == kind
    assert (expected.is_ordered, expected.is_between, expected.attribute) == (is_ordered, is_between, attribute)


@pytest.mark.parametrize("text", ["", "did order where (", "level = 'gold' and "])
def test_every_type_fits_without_a_left_operand(text: str) -> None:
    assert expected_after(text) == ExpectedType()
    assert expected_after(text).fits(Type("text"))


def test_the_value_before_the_cursor_is_the_value_in_a_window() -> None:
    for text in ("signup_at ", "signup_at not ", "signup_at in "):
        cursor = locate_cursor(text, len(text))
        assert cursor is not None
        before = infer_type_before(cursor, Scope(CATALOG, LIBRARY))
        assert before.type is not None
        assert before.type.kind == "instant"


def test_the_scope_is_the_event_of_the_open_where() -> None:
    scope = Scope(CATALOG, LIBRARY)
    for text, name in (("did order where (", "order"), ("did order where (amount > 1) ever and ", None)):
        cursor = locate_cursor(text, len(text))
        assert cursor is not None
        step = resolve_scope(cursor, scope).step
        assert (step.name if step else None) == name


def test_find_last_returns_the_last_index_or_minus_one() -> None:
    assert find_last(("A", "B", "A"), "A") == 2
    assert find_last(("A",), "B") == -1
