"""YAML texts: their contents, and errors with a place for repeated keys."""

from __future__ import annotations

import pytest

from quanyu.runtime.yaml_text import read_yaml


def test_a_text_is_read_as_yaml() -> None:
    assert read_yaml("a: [1, 'two']\nb: {c: null}") == {"a": [1, "two"], "b": {"c": None}}
    assert read_yaml("") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", r"the key a is repeated\n.*line 3, column 1"),
        ("outer:\n  a: 1\n  a: 1", r"the key a is repeated\n.*line 3, column 3"),
        ("a: [1", "not YAML"),
        ("a: !!python/object:os.system x", "not YAML"),
        ("[" * 100_000, "not YAML"),
    ],
    ids=["repeated", "repeated-inside", "unclosed", "code", "deep"],
)
def test_a_text_that_is_not_plain_yaml_is_a_value_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_yaml(text)


def test_the_same_key_in_two_mappings_is_valid() -> None:
    assert read_yaml("- {a: 1}\n- {a: 2}") == [{"a": 1}, {"a": 2}]
