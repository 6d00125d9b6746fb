"""Nodes of the plan: immutable values."""

import dataclasses
from typing import Any, get_args

import pytest

from quanyu.dsl.planning import literals, nodes

KINDS: list[type[Any]] = [*get_args(nodes.Cond), *get_args(nodes.Expr), *get_args(literals.Value)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_node_is_an_immutable_slotted_dataclass(kind: type[Any]) -> None:
    params = kind.__dataclass_params__
    assert params.frozen
    assert "__slots__" in vars(kind)


def test_nodes_with_equal_fields_are_equal() -> None:
    literal = nodes.Literal(literals.NumberValue("1"))
    assert nodes.IsKnown(literal) == nodes.IsKnown(nodes.Literal(literals.NumberValue("1")))
    assert nodes.IsKnown(literal) != nodes.IsUnknown(literal)
    with pytest.raises(dataclasses.FrozenInstanceError):
        literal.value = literals.NumberValue("2")  # type: ignore[misc]
