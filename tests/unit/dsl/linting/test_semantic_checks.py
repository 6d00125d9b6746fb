"""Conditions that are valid and easily misread."""

import pytest

from tests.unit.dsl.linting.cases import MISREAD, codes


@pytest.mark.parametrize(("text", "code"), MISREAD)
def test_finds_conditions_that_are_easily_misread(text: str, code: str) -> None:
    assert code in codes(text)
