"""Reads mappings, which say how the columns of a file become records; the engine's encoder checks them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quanyu.runtime.errors import InvalidInput
from quanyu.runtime.yaml_text import read_yaml

INTEGER_FORMATS = frozenset({"s", "ms", "us", "ns"})
# More values than any mapping has: a few lines of YAML can expand to more than the memory holds.
_MOST_VALUES = 10_000
_TEMPLATES = ("source", "id", "type", "channel", "catalog", "key")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping as docs/import.md describes it; `name` says where it came from, for errors."""

    name: str
    contents: dict[str, Any]

    @property
    def records(self) -> str:
        """Returns event, profile or item."""
        return str(self.contents.get("records", ""))

    def encoded(self) -> bytes:
        """Returns the mapping as JSON, the format of the encoder."""
        return json.dumps(self.contents, ensure_ascii=False, sort_keys=True).encode()

    def columns(self) -> list[str]:
        """Returns every column that the mapping reads, each once."""
        return list(dict.fromkeys([*self._template_columns(), *(field["column"] for field in self._fields())]))

    def text_columns(self) -> set[str]:
        """Returns the columns that must be read as text, even if they look like numbers."""
        return {
            *self._template_columns(),
            *(f["column"] for f in self._fields() if "as" in f and f.get("format") not in INTEGER_FORMATS),
        }

    def integer_columns(self) -> set[str]:
        """Returns the columns that count time from 1970."""
        return {f["column"] for f in self._fields() if f.get("format") in INTEGER_FORMATS} - self.text_columns()

    def _template_columns(self) -> Iterator[str]:
        identifiers = self.contents.get("identifiers")
        pairs = [pair for pair in identifiers if isinstance(pair, dict)] if isinstance(identifiers, list) else []
        templates = [self.contents.get(key) for key in _TEMPLATES]
        templates += [pair.get(key) for pair in pairs for key in ("namespace", "value")]
        for template in templates:
            if isinstance(template, str):
                yield from (name for name in _PLACEHOLDER.findall(template) if name not in ("", "row"))

    def _fields(self) -> Iterator[dict[str, str]]:
        named = [self.contents.get(key) for key in ("properties", "attributes")]
        fields = [field for group in named if isinstance(group, dict) for field in group.values()]
        for field in fields:
            yield from _field(field)
        for field in _field(self.contents.get("occurred_at")):
            yield {"as": "instant", **field}


def load_mapping(path: Path) -> Mapping:
    """Reads a mapping; raises InvalidInput if the file cannot be read or is not a mapping in YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"mapping {path}: cannot be read: {error}", reason="MAPPING_UNREADABLE") from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, name: str) -> Mapping:
    """Parses a mapping; raises InvalidInput with the place if the text is not YAML, or has no equal in JSON."""
    try:
        contents = read_yaml(text)
    except ValueError as error:
        raise InvalidInput(f"mapping {name}: {error}", reason="MAPPING_INVALID") from error
    if not isinstance(contents, dict):
        raise InvalidInput(
            f"mapping {name}: must be keys with values, beginning with `records:`", reason="MAPPING_INVALID"
        )
    problem = _problem(contents)
    if problem is not None:
        raise InvalidInput(f"mapping {name}: {problem}", reason="MAPPING_INVALID")
    return Mapping(name, contents)


def _problem(contents: dict[Any, Any]) -> str | None:
    """Describes a value that JSON cannot hold, such as the date 2026-01-31 in YAML; None if there is no such value."""
    rest: list[tuple[str, Any]] = [("", contents)]
    for _ in range(_MOST_VALUES):
        if not rest:
            return None
        path, value = rest.pop()
        if isinstance(value, dict):
            unnamed = [key for key in value if not isinstance(key, str)]
            if unnamed:
                return f"{path or 'its keys'}: {unnamed[0]!r} is not a text; put it in quotes"
            rest += [(f"{path}.{key}" if path else key, item) for key, item in value.items()]
        elif isinstance(value, list):
            rest += [(f"{path}[{at}]", item) for at, item in enumerate(value)]
        elif not isinstance(value, str | int | float | None) or (isinstance(value, float) and not math.isfinite(value)):
            return f"{path}: YAML reads a {type(value).__name__} here; put it in quotes to make it a text"
    return f"more than {_MOST_VALUES:,} values, counted wherever an anchor is used"


def _field(value: object) -> Iterator[dict[str, str]]:
    """Yields a field in its long form; leaves out a wrong field, which the encoder reports."""
    if isinstance(value, str):
        yield {"column": value}
    elif isinstance(value, dict) and isinstance(value.get("column"), str):
        yield {str(key): str(item) for key, item in value.items()}
