"""docs/rules/lint.md shows every warning with a rule that has it and better rules without it."""

import re
from pathlib import Path
from typing import get_args

import pytest

from quanyu import dsl
from quanyu.dsl.linting.findings import Code
from tests.unit.test_docs import NOW, catalog

GUIDE = (Path(__file__).parents[4] / "docs/rules/lint.md").read_text()
SECTIONS = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", GUIDE, re.DOTALL | re.MULTILINE))


def rules(section: str) -> list[str]:
    return re.findall(r"```rule\n(.*?)```", SECTIONS[section], re.DOTALL)


def codes(text: str, library: dsl.Library) -> set[str]:
    return {finding.code for finding in dsl.lint(dsl.check_and_bind(text, catalog(), library), catalog(), library, NOW)}


def test_every_warning_has_its_section() -> None:
    assert list(SECTIONS) == sorted(SECTIONS, key=get_args(Code).index)
    assert set(SECTIONS) == set(get_args(Code))


@pytest.mark.parametrize("code", SECTIONS)
def test_the_first_rule_gets_the_warning_and_the_others_none(code: str) -> None:
    found, *better = rules(code)
    assert code in codes(found, dsl.Library())
    bound = dsl.check_and_bind(found, catalog(), dsl.Library())
    library = dsl.Library().publish(bound)
    assert better
    for text in better:
        assert codes(text, library) == set()
