"""Executes the rules on the pages about rules: valid rules are evaluated, invalid texts are refused with an offer."""

from pathlib import Path

import pytest

from quanyu import dsl
from quanyu.dsl import syntax as s
from quanyu.dsl.parsing.parser import is_condition, load_parser
from tests.docs.pages import CATALOG, NOW, PAGES, blocks, blocks_of_all_pages, library_of
from tests.semantics.world import World, did, has
from tests.unit.dsl.catering import DOCS


@pytest.mark.parametrize(("page", "text"), blocks_of_all_pages("rule"))
def test_each_rule_compiles(page: Path, text: str) -> None:
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
def test_the_engine_evaluates_each_condition(page: Path, tmp_path: Path) -> None:
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


@pytest.mark.parametrize(("page", "text"), blocks_of_all_pages("refused"))
def test_each_refused_text_is_refused_with_an_offer(page: Path, text: str) -> None:
    with pytest.raises(dsl.RuleError) as refused:
        dsl.check_and_bind(text, CATALOG, library_of(page))
    assert refused.value.suggestions


@pytest.mark.parametrize(("page", "text"), blocks_of_all_pages("syntax"))
def test_each_syntax_example_parses(page: Path, text: str) -> None:
    assert dsl.parse(text).statements


def test_the_guide_has_more_than_60_rules() -> None:
    assert len(blocks(DOCS / "rules/guide.md", "rule")) > 60


def test_the_reference_shows_each_alternative_of_the_grammar() -> None:
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
