"""Checks the rules of the README, the links between documents and the table of settings."""

import re

from quanyu import dsl
from quanyu.runtime.settings import describe_settings
from tests.docs.pages import CATALOG
from tests.unit.dsl.catering import DOCS

ROOT = DOCS.parent


def test_each_rule_of_the_readme_is_valid() -> None:
    cells = re.findall(r"^\| `([^`]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(cells) >= 10
    library = dsl.Library()
    for text in ["segment buyers: did order", *cells]:
        bound = dsl.check_and_bind(text, CATALOG, library)
        library = library.publish(bound)


def test_each_link_between_documents_has_a_target() -> None:
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page}: {target}"


def test_the_settings_table_equals_the_settings_of_the_program() -> None:
    operating = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    for variable, default, meaning in describe_settings():
        assert f"| `{variable}` | {f'`{default}`' if default else ''} | {meaning} |" in operating
