"""The templates: the same ones in both languages, and one for each class that needs one."""

import re
from string import Formatter
from typing import get_args

import pytest

from quanyu.dsl import syntax as s
from quanyu.dsl.explaining.templates import TEMPLATES, UNITS

PLURALS = {"times", "units", "unit"}  # only English has a plural


def fields_of(template: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(template) if field}


def test_both_languages_have_the_same_templates_and_units() -> None:
    assert TEMPLATES["en"].keys() == TEMPLATES["zh"].keys()
    assert UNITS["en"].keys() == UNITS["zh"].keys()


@pytest.mark.parametrize("name", TEMPLATES["en"])
def test_a_template_has_the_same_fields_in_both_languages(name: str) -> None:
    english, chinese = (fields_of(TEMPLATES[language][name]) for language in ("en", "zh"))
    assert english - PLURALS == chinese - PLURALS


@pytest.mark.parametrize("kind", [*get_args(s.Window), *get_args(s.Recurrence), *get_args(s.Times)])
def test_every_window_and_number_of_times_has_a_template_with_its_fields(kind: type[s.Node]) -> None:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    # A template of units adds their plural, and a recurrence has the number and the unit of its units.
    derived = PLURALS | {"number", "unit", "count"}
    declared = set(kind.__dataclass_fields__) - {"span"}
    assert fields_of(TEMPLATES["en"][name]) <= declared | derived


def test_every_calendar_unit_has_a_word() -> None:
    assert set(UNITS["en"]) == set(get_args(s.CalendarUnit))
