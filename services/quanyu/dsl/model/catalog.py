"""The declarations of a workspace: event types, attributes, goods and places, and channels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from quanyu.dsl.keywords import needs_backquotes

Kind = Literal["bool", "number", "money", "text", "enum", "instant", "date", "month_day", "set", "map", "point"]

# The built-in names (N12) and their Chinese aliases.
BUILT_IN = ("person", "channel", "true", "false", "first_seen", "last_seen")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_BUILT_IN_ALIASES = {"渠道": "channel", "首次出现": "first_seen", "最近出现": "last_seen"}


@dataclass(frozen=True)
class Field:
    """A typed name: a property of an event, an attribute of a person or of a catalog's items.

    `values`: those declared or seen of an enum or set, lowest first where `ordered`. `currency`: ISO 4217, of money.
    `reference`: the catalog whose items this is the key of. Version 4 of a model's score is the attribute `x@4` (N11).
    """

    name: str
    kind: Kind
    currency: str = ""
    values: tuple[str, ...] = ()
    ordered: bool = False
    aliases: tuple[str, ...] = ()
    reference: str = ""


@dataclass(frozen=True)
class EventType:
    name: str
    properties: Mapping[str, Field] = field(default_factory=dict)
    counts_as_seen: bool = True
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemCatalog:
    """Goods or places. Events refer to them by key."""

    name: str
    attributes: Mapping[str, Field] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalog:
    """Everything a rule can name besides other rules. Mappings are keyed by the declared name."""

    event_types: Mapping[str, EventType] = field(default_factory=dict)
    attributes: Mapping[str, Field] = field(default_factory=dict)
    catalogs: Mapping[str, ItemCatalog] = field(default_factory=dict)
    channels: tuple[str, ...] = ()

    @cached_property
    def _aliases(self) -> dict[str, str]:
        declared: list[EventType | Field] = [*self.event_types.values(), *self.attributes.values()]
        return _BUILT_IN_ALIASES | {alias: item.name for item in declared for alias in item.aliases}

    def canonical(self, name: str) -> str:
        """Returns the declared name for an alias, and any other name unchanged."""
        return self._aliases.get(name, name)

    @staticmethod
    def chinese_built_in_name(name: str) -> str:
        """Returns the Chinese alias of a built-in name, or the name itself."""
        return next((alias for alias, of in _BUILT_IN_ALIASES.items() if of == name), name)

    def find_attribute(self, name: str, version: int | None) -> Field | None:
        """Returns the attribute with this name. For a score: of this version, or the newest one without a version."""
        if version is not None:
            return self.attributes.get(f"{name}@{version}")
        if name in self.attributes:
            return self.attributes[name]
        return self._newest_scores.get(name)

    @cached_property
    def _newest_scores(self) -> dict[str, Field]:
        """The newest version of each score by its name without the version, such as `churn_risk`."""
        named = (name.partition("@") for name in self.attributes)
        versions = sorted((name, int(version)) for name, _, version in named if version.isdigit())
        return {name: self.attributes[f"{name}@{version}"] for name, version in versions}

    def seen_event_types(self) -> list[str]:
        """Returns the event types that count for `channel`, `first_seen` and `last_seen` (E12)."""
        return sorted(name for name, event in self.event_types.items() if event.counts_as_seen)

    def find_property(self, fields: Mapping[str, Field], name: str) -> Field | None:
        """Returns the field with this name or alias, or the only one that refers to these goods or places (N8)."""
        if name in fields:
            return fields[name]
        called = [name, *(item.name for item in self.catalogs.values() if name in item.aliases)]
        aliased = [f for f in fields.values() if name in f.aliases]
        found = aliased or [f for f in fields.values() if f.reference in called]
        return found[0] if len(found) == 1 else None


def chinese_alias(declared: Field | EventType | ItemCatalog) -> str:
    """Returns the first Chinese alias that needs no backquotes, or an empty text."""
    return next((a for a in declared.aliases if _CHINESE.search(a) and not needs_backquotes(a)), "")
