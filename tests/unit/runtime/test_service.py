"""The interface between a process and its services: all four services implement it."""

import importlib
import inspect
from typing import get_type_hints

import pytest

from quanyu.runtime.service import Service, ServiceContext

NAMES = ["ingestion", "identity", "tagging", "delivery"]
METHODS = [name for name, member in vars(Service).items() if inspect.isfunction(member) and not name.startswith("_")]


def hints_of(name: str) -> dict[str, type]:
    return get_type_hints(importlib.import_module(f"quanyu.{name}.service").open_service)


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_opened_with_the_context_of_its_process(name: str) -> None:
    hints = hints_of(name)
    assert hints.pop("context") is ServiceContext
    assert list(hints) == ["return"]


@pytest.mark.parametrize("name", NAMES)
def test_a_service_has_the_methods_of_the_interface(name: str) -> None:
    service = hints_of(name)["return"]
    assert METHODS == ["register", "start", "stop", "close"]
    for method in METHODS:
        assert list(inspect.signature(getattr(service, method)).parameters) == list(
            inspect.signature(getattr(Service, method)).parameters
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_service_has_its_full_grpc_name(name: str) -> None:
    assert hints_of(name)["return"].__dict__["name"] == f"quanyu.api.{name}.v1.{name.capitalize()}Service"
