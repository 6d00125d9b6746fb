"""Reads the blocks of the pages about rules."""

import re
from pathlib import Path

import pytest

from quanyu import dsl
from quanyu.dsl import syntax as s
from quanyu.dsl.parsing.parser import is_condition
from tests.unit.dsl.catering import DOCS, catalog

NOW = dsl.Clock(as_of_ms=1_795_312_800_000, zone="Asia/Shanghai", earliest_ms=1_700_000_000_000)
CATALOG = catalog()
PAGES = sorted((DOCS / "rules").glob("*.md"))


def blocks(page: Path, kind: str) -> list[str]:
    """Returns the code blocks of a kind (`rule`, `refused`, `console`...) in a page."""
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def blocks_of_all_pages(kind: str) -> list[object]:
    """Returns each block of a kind with its page, as parameters of a test."""
    return [pytest.param(page, text, id=f"{page.name}: {text[:60]}") for page in PAGES for text in blocks(page, kind)]


def rules_of(page: Path) -> list[s.Statement]:
    """Returns the rules that a page declares."""
    texts = [text for text in blocks(page, "rule") if not is_condition(text)]
    statements = [statement for text in texts for statement in dsl.parse(text).statements]
    return [statement for statement in statements if not isinstance(statement, s.Test | s.Setting)]


def library_of(page: Path) -> dsl.Library:
    """Returns the rules of the page and of the guide. A rule of the page replaces one of the same name."""
    own = rules_of(page)
    names = {rule.ref.name for rule in own}
    shared = [rule for rule in rules_of(DOCS / "rules/guide.md") if rule.ref.name not in names]
    text = "\n".join(dict.fromkeys(map(dsl.format_rule, [*shared, *own])))
    return dsl.Library().publish(dsl.check_and_bind(text, CATALOG, dsl.Library()))
