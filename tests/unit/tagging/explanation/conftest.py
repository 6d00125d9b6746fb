"""The shop that the tests of explanations share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.tagging.explanation.shop import WORLD, Shop


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    opened = Shop(tmp_path_factory.mktemp("shop"), WORLD)
    yield opened
    opened.engine.close()
