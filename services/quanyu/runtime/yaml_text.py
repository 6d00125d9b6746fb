"""Reads YAML that people write, and refuses repeated keys."""

from __future__ import annotations

from typing import Any

import yaml


def read_yaml(text: str) -> Any:
    """Returns the contents; raises ValueError with line and column if the text is not YAML or repeats a key."""
    try:
        return yaml.load(text, _EachKeyOnce)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"not YAML: {error}") from error


class _EachKeyOnce(yaml.SafeLoader):
    """A loader that refuses repeated keys, where YAML itself silently takes the last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key.value} is repeated", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)
