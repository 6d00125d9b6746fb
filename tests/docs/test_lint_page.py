"""Checks that docs/rules/lint.md shows a rule with each warning, and better rules without it."""

import re
from pathlib import Path
from typing import get_args

import pytest

from quanyu import dsl
from quanyu.dsl.linting.findings import Code
from tests.docs.pages import NOW
from tests.unit.dsl.catering import catalog

GUIDE = (Path(__file__).parents[2] / "docs/rules/lint.md").read_text()
SECTIONS = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", GUIDE, re.DOTALL | re.MULTILINE))


def rules(section: str) -> list[str]:
    return re.findall(r"```rule\n(.*?)```", SECTIONS[section], re.DOTALL)


def codes(text: str, library: dsl.Library) -> set[str]:
    return {finding.code for finding in dsl.lint(dsl.check_and_bind(text, catalog(), library), catalog(), library, NOW)}


def test_each_warning_has_a_section() -> None:
    assert list(SECTIONS) == sorted(SECTIONS, key=get_args(Code).index)
    assert set(SECTIONS) == set(get_args(Code))


@pytest.mark.parametrize("code", SECTIONS)
def test_the_first_rule_has_the_warning_and_the_others_have_none(code: str) -> None:
    found, *better = rules(code)
    assert code in codes(found, dsl.Library())
    bound = dsl.check_and_bind(found, catalog(), dsl.Library())
    library = dsl.Library().publish(bound)
    assert better
    for text in better:
        assert codes(text, library) == set()
