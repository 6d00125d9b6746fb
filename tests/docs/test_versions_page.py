"""Checks the rules and the differences that docs/rules/versions.md shows."""

import re
from pathlib import Path

from quanyu import dsl
from tests.unit.dsl.catering import catalog

TEXT = (Path(__file__).parents[2] / "docs/rules/versions.md").read_text()


def test_the_differences_shown_are_those_of_the_rules_shown() -> None:
    library = dsl.Library()
    for text in re.findall(r"```rule\n(.*?)```", TEXT, re.DOTALL):
        library = library.publish(dsl.check_and_bind(text, catalog(), library))
    (shown,) = re.findall(r"```differences\n(.*?)```", TEXT, re.DOTALL)
    old, new = library.rules["silent", 1], library.rules["silent", 2]
    assert dsl.describe_differences(old, new, library, library, catalog()) == shown.splitlines()
    assert dsl.dependents_of(("contact", 1), catalog(), library) == {("silent", 1): True, ("silent", 2): True}
