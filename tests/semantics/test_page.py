"""Checks docs/rules/semantics.md: its points, their tests, their examples, and every place that cites a point."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest

from quanyu import dsl
from quanyu.cli.catalog_file import load_catalog
from quanyu.dsl import syntax as s
from quanyu.dsl.keywords import BETWEEN_ENDS, CHINESE_KEYWORDS, RESERVED
from quanyu.tagging.evaluation.catalog import catalog_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs/rules/semantics.md"
TEXT = PAGE.read_text(encoding="utf-8")
NOW = dsl.Clock(as_of_ms=1_795_312_800_000, zone="Asia/Shanghai", earliest_ms=1_700_000_000_000)

# Where points are cited: (folder, file name pattern). Generated code is left out.
SOURCES = (
    ("services", "*.py"),
    ("services", "*.lark"),
    ("rust_core/src", "*.rs"),
    ("protos", "*.proto"),
    ("docs", "*.md"),
    ("tests", "*.py"),
    ("tests", "*.yaml"),
)
GENERATED = ROOT / "services/quanyu/api"

# A letter and a number, such as (N12) or T0-T20, but neither part of a longer word nor of a time such as T00:00.
CITATION = re.compile(r"(?<![A-Za-z0-9_])[A-Z]\d{1,2}(?![A-Za-z0-9_]|:\d)")


@dataclass(frozen=True)
class Point:
    """One point of the page: its code, its anchor, the letter of its section, and its Markdown text."""

    code: str
    anchor: str
    letter: str
    text: str

    @property
    def examples(self) -> list[tuple[str, list[str]]]:
        """The ("Example" or "Refused", code spans after it) of each example."""
        parts = re.split(r"\*(Example|Refused):\*", self.text)[1:]
        return [(kind, code_spans(shown)) for kind, shown in zip(parts[::2], parts[1::2], strict=True)]


def code_spans(text: str) -> list[str]:
    """The texts in backquotes; of a span in double backquotes, without the spaces at its ends."""
    found = re.findall(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", text)
    return [span[1:-1] if len(ticks) > 1 else span for ticks, span in found]


def read_points(page: str) -> Iterator[Point]:
    """Reads the list items of the page, each of which defines a point."""
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        for item in re.findall(r"^- .*(?:\n  .*)*", section, re.MULTILINE):
            head = re.match(r'- <a id="(\w+)"></a>\*\*(\w+)\*\* ', item)
            assert head, f"this list item does not begin as a point does: {item[:60]}"
            yield Point(head[2], head[1], section[: section.index(". ")], item)


POINTS = list(read_points(TEXT))
CODES = [point.code for point in POINTS]


def examples(wanted: str) -> list[object]:
    shown = [(point.code, spans) for point in POINTS for kind, spans in point.examples if kind == wanted]
    return [pytest.param(spans[0], spans[1:], id=f"{code}: {spans[0][:60]}") for code, spans in shown]


# The points.


def test_the_page_defines_the_points_of_each_letter_once_and_without_gaps() -> None:
    assert len(POINTS) > 100
    for letter, points in groupby(POINTS, key=lambda point: point.letter):
        codes = [point.code for point in points]
        first = 0 if codes[0] == f"{letter}0" else 1
        assert codes == [f"{letter}{number}" for number in range(first, first + len(codes))]
    letters = [letter for letter, _ in groupby(CODES, key=lambda code: code[0])]
    assert len(letters) == len(set(letters))


def test_each_point_has_the_anchor_of_its_code() -> None:
    assert [point.anchor for point in POINTS] == [code.lower() for code in CODES]
    assert len(re.findall(r"<a id=", TEXT)) == len(POINTS)


def test_each_point_has_a_test_that_is_named_after_it() -> None:
    """`test_t13_...` tests T13, `test_q2_q3_...` tests both."""
    sources = "".join(file.read_text(encoding="utf-8") for file in HERE.glob("test_*.py"))
    tests = re.findall(r"^def test_((?:[a-z]\d+_)+)", sources, re.MULTILINE)
    assert {code.upper() for codes in tests for code in codes.split("_") if code} == set(CODES)


def test_each_cited_point_is_defined() -> None:
    files = [file for folder, name in SOURCES for file in (ROOT / folder).rglob(name) if GENERATED not in file.parents]
    cited = [
        (code, f"{file.relative_to(ROOT)}:{number}")
        for file in [ROOT / "README.md", *files]
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        for code in CITATION.findall(line)
    ]
    assert [(code, place) for code, place in cited if code not in CODES] == []
    outside = {code for code, place in cited if not place.startswith(("docs/rules/semantics.md", "tests/semantics"))}
    assert len(outside) > 80, "the pattern no longer finds the citations"


def test_each_link_to_a_part_of_the_page_leads_there() -> None:
    headings = re.findall(r"^##+ (.+)$", TEXT, re.MULTILINE)
    parts = {point.anchor for point in POINTS} | {heading.lower().replace(" ", "-") for heading in headings}
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    linked = {
        anchor for page in pages for anchor in re.findall(r"semantics\.md#([\w-]+)", page.read_text(encoding="utf-8"))
    }
    linked |= set(re.findall(r"\]\(#([\w-]+)\)", TEXT))
    assert linked - parts == set()
    assert len(linked) > 2


# The examples.


def library_and_catalog() -> tuple[dsl.Library, dsl.Catalog]:
    declared = load_catalog(ROOT / "docs/rules/catering.yaml")
    catalog = catalog_of(declared.schema, declared.channels)
    return dsl.Library().publish(dsl.check_and_bind(declared.rules, catalog, dsl.Library())), catalog


def check_and_compile(text: str) -> None:
    """Checks a condition or statements as publishing and evaluating them does. Raises RuleError."""
    library, catalog = library_and_catalog()
    bound = dsl.check_and_bind(text, catalog, library)
    if bound.condition is not None:
        assert dsl.compile_condition(bound, library, catalog, NOW).roots
    library = library.publish(bound)
    for rule in bound.statements:
        if isinstance(rule, s.Segment | s.Tag):
            compile_named = dsl.compile_segment if isinstance(rule, s.Segment) else dsl.compile_tag
            assert compile_named(rule.ref.name, rule.ref.version or 1, library, catalog, NOW).roots


def test_each_point_has_one_example() -> None:
    assert [point.code for point in POINTS if len(point.examples) != 1 or not point.examples[0][1]] == []


@pytest.mark.parametrize(("text", "_others"), examples("Example"))
def test_each_example_is_valid(text: str, _others: list[str]) -> None:
    check_and_compile(text)


@pytest.mark.parametrize(("text", "offers"), examples("Refused"))
def test_each_refused_text_is_refused_with_the_offers_shown(text: str, offers: list[str]) -> None:
    with pytest.raises(dsl.RuleError) as refused:
        check_and_compile(text)
    assert list(refused.value.suggestions) == offers


@pytest.mark.parametrize(
    ("text", "verb", "shown"),
    re.findall(r"\*Example:\* `([^`]+)` (is published as|is formatted as|means) `([^`]+)`", TEXT),
)
def test_each_other_form_of_an_example_is_the_same_rule(text: str, verb: str, shown: str) -> None:
    """Publishing and formatting write the form shown; of a translation they write the same text as of the example."""

    def written(rule: str) -> str:
        library, catalog = library_and_catalog()
        condition = dsl.check_and_bind(rule, catalog, library).condition
        assert condition is not None
        return dsl.format_rule(condition)

    assert written(text) == (written(shown) if verb == "means" else shown)


# The words.


def test_the_keyword_table_is_the_languages_own() -> None:
    rows = re.findall(r"^\| (.+) \|$", TEXT.partition("### Keywords")[2].partition("###")[0], re.MULTILINE)[1:]
    cells = [cell.strip() for row in rows for cell in row.split("|")]
    shown = {english: tuple(words.split(" / ")) for english, words in zip(cells[::2], cells[1::2], strict=True)}
    assert shown.pop("") == ("",)
    assert shown == {**CHINESE_KEYWORDS, "and (after between)": (BETWEEN_ENDS,)}


def test_the_reserved_words_are_the_languages_own() -> None:
    shown = code_spans(TEXT.partition("### Reserved words")[2].partition("##")[0])
    assert len(shown) == len(set(shown))
    chinese = {word for words in CHINESE_KEYWORDS.values() for word in words} | {BETWEEN_ENDS}
    assert {*shown, *chinese} == RESERVED
