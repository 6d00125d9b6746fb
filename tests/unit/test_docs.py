"""What the documents show is executed: rules are evaluated, refused texts refused with an offer, commands run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quanyu import dsl
from quanyu.dsl import syntax as s
from quanyu.dsl.parsing.parser import is_condition, load_parser
from quanyu.runtime.settings import describe_settings
from tests.semantics.world import World, did, has
from tests.unit.dsl.catering import DOCS, catalog
from tests.waiting import PATIENCE

ROOT = DOCS.parent
NOW = dsl.Clock(as_of_ms=1_795_312_800_000, zone="Asia/Shanghai", earliest_ms=1_700_000_000_000)
CATALOG = catalog()
PAGES = sorted((DOCS / "rules").glob("*.md"))


def blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def each(kind: str) -> list[object]:
    """Every block of a kind in the pages about rules, with the page's name."""
    return [pytest.param(page, text, id=f"{page.name}: {text[:60]}") for page in PAGES for text in blocks(page, kind)]


def declared(page: Path) -> list[s.Statement]:
    """The rules that a page declares."""
    texts = [text for text in blocks(page, "rule") if not is_condition(text)]
    statements = [statement for text in texts for statement in dsl.parse(text).statements]
    return [statement for statement in statements if not isinstance(statement, s.Test | s.Setting)]


def library_of(page: Path) -> dsl.Library:
    """The rules of the guide, and the page's own, which stand in the place of the guide's of the same name."""
    own = declared(page)
    names = {rule.ref.name for rule in own}
    shared = [rule for rule in declared(DOCS / "rules/guide.md") if rule.ref.name not in names]
    text = "\n".join(dict.fromkeys(map(dsl.format_rule, [*shared, *own])))
    return dsl.Library().publish(dsl.check_and_bind(text, CATALOG, dsl.Library()))


@pytest.mark.parametrize(("page", "text"), each("rule"))
def test_every_rule_is_read_and_compiled(page: Path, text: str) -> None:
    library = library_of(page)
    bound = dsl.check_and_bind(text, CATALOG, library)
    if bound.condition is not None:
        assert dsl.compile_condition(bound, library, CATALOG, NOW).roots
    for rule in bound.statements:
        if isinstance(rule, s.Segment):
            assert dsl.compile_segment(rule.ref.name, rule.ref.version or 1, library, CATALOG, NOW).roots
        if isinstance(rule, s.Tag):
            assert dsl.compile_tag(rule.ref.name, rule.ref.version or 1, library, CATALOG, NOW).roots


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES if blocks(page, "rule")])
def test_every_condition_is_evaluated(page: Path, tmp_path: Path) -> None:
    """By the engine, of a few people: each is in, not in or unknown."""
    people = {
        "anna": [has(city="上海", level="gold", birthday="1990-11-25"), did("order", "2026-11-20 10:00", amount=80)],
        "ben": [has(home=(31.23, 121.47), survey={"price_sensitivity": 5}), did("scan", "2026-11-21 10:00")],
        "cai": [has(tastes=["vegan"])],
    }
    world = World(tmp_path, schema=DOCS / "rules/catering.yaml", **people)
    world.library = library_of(page)
    for text in filter(is_condition, blocks(page, "rule")):
        true, unknown = world.answer(text).counts(0)
        verdicts = list(world.says(text).values())
        assert (verdicts.count(True), verdicts.count(None)) == (true, unknown), text
    world.close()


@pytest.mark.parametrize(("page", "text"), each("refused"))
def test_every_refused_text_is_refused_with_an_offer(page: Path, text: str) -> None:
    with pytest.raises(dsl.RuleError) as refused:
        dsl.check_and_bind(text, CATALOG, library_of(page))
    assert refused.value.suggestions


@pytest.mark.parametrize(("page", "text"), each("syntax"))
def test_every_other_text_is_read(page: Path, text: str) -> None:
    assert dsl.parse(text).statements


def test_the_guide_has_what_a_marketer_does_in_a_week() -> None:
    assert len(blocks(DOCS / "rules/guide.md", "rule")) > 60


def test_the_reference_shows_every_alternative_of_the_grammar() -> None:
    page = DOCS / "rules/reference.md"
    shown = {
        tree.data
        for text in [*blocks(page, "rule"), *blocks(page, "syntax")]
        for tree in load_parser().parse(text, start="cond" if is_condition(text) else "start").iter_subtrees()
    }
    names = {str(rule.alias or rule.origin.name) for rule in load_parser().rules}
    inlined = {name for name in names if name.startswith("_")} | {
        str(rule.origin.name) for rule in load_parser().rules if rule.options.expand1 and rule.alias is None
    }
    assert len(names - inlined) > 100
    assert names - inlined - {str(name) for name in shown} == set()


# Commands.


def commands(block: str) -> list[tuple[str, str]]:
    """(command, what it prints) of a console block."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def prints(shown: str, printed: str) -> bool:
    """Whether it is what is shown; `...` on a line of its own stands for any lines."""
    lines = [line.rstrip() for line in shown.rstrip("\n").split("\n")]
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in lines)
    actual = "".join(f"{line.rstrip()}\n" for line in printed.rstrip("\n").split("\n"))
    return re.fullmatch(pattern, actual) is not None


@pytest.mark.parametrize(("page", "block"), each("console"))
def test_every_command_prints_what_is_shown(page: Path, block: str, tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    assert commands(block)
    for command, shown in commands(block):
        program, *words = shlex.split(command)
        assert program == "quanyu", command
        environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1", "QUANYU_DATA": str(tmp_path / "data")}
        run = [sys.executable, "-m", "quanyu", *words]
        ran = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        printed = ran.stdout + ran.stderr
        assert prints(shown, printed), f"$ {command}\n{printed}"


def test_what_a_command_prints_is_compared_line_by_line() -> None:
    assert commands("$ a b\none\ntwo\n$ c\n") == [("a b", "one\ntwo\n"), ("c", "")]
    assert prints("one\n...\nfour\n", "one\ntwo  \nthree\nfour\n")
    assert prints("one\n...\n", "one\n")
    assert not prints("one\n", "one\ntwo\n")
    assert not prints("one\n...\nfour\n", "one\ntwo\n")


# Other documents.


def test_every_rule_of_the_readme_is_read() -> None:
    cells = re.findall(r"^\| `([^`]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(cells) >= 10
    library = dsl.Library()
    for text in ["segment buyers: did order", *cells]:
        bound = dsl.check_and_bind(text, CATALOG, library)
        library = library.publish(bound)


def test_every_link_between_the_documents_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page}: {target}"


def test_the_settings_table_is_the_programs_own() -> None:
    operating = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    for variable, default, meaning in describe_settings():
        assert f"| `{variable}` | {f'`{default}`' if default else ''} | {meaning} |" in operating
