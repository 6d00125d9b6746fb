"""What the documents show is executed: rules are read, refused texts are refused with an offer."""

import re
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format

from quanyu import dsl
from quanyu.api.event.v1 import event_pb2
from quanyu.runtime.settings import documented
from quanyu.tagging.catalog import catalog_of

ROOT = Path(__file__).parents[2]
NOW = dsl.Clock(as_of_ms=1_795_312_800_000, zone="Asia/Shanghai", earliest_ms=1_700_000_000_000)


def catalog() -> dsl.Catalog:
    declared = yaml.safe_load((ROOT / "docs/rules/catering.yaml").read_text())
    channels = declared.pop("channels")
    return catalog_of(json_format.ParseDict(declared, event_pb2.Schema()), channels)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / "docs/rules.md").read_text(), re.DOTALL)


def library_of(texts: list[str]) -> dsl.Library:
    library = dsl.Library()
    for text in texts:
        bound = dsl.check_and_bind(text, catalog(), library)
        if bound.condition is None:
            library = library.publish(bound)
    return library


def test_every_rule_of_the_guide_is_read_and_compiled() -> None:
    texts = blocks("rule")
    assert len(texts) > 30
    library = library_of(texts)
    for text in texts:
        bound = dsl.check_and_bind(text, catalog(), library)
        if bound.condition is not None:
            assert dsl.compile_condition(bound, library, catalog(), NOW).roots


@pytest.mark.parametrize("text", blocks("refused"))
def test_every_refused_text_of_the_guide_is_refused_with_an_offer(text: str) -> None:
    with pytest.raises(dsl.RuleError) as refused:
        dsl.check_and_bind(text, catalog(), library_of(blocks("rule")))
    assert refused.value.suggestions


def test_every_rule_of_the_readme_is_read() -> None:
    cells = re.findall(r"^\| `([^`]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(cells) >= 10
    library_of(["segment buyers: did order", *cells])


def test_the_settings_table_is_the_programs_own() -> None:
    operating = (ROOT / "docs/operating.md").read_text()
    for variable, default, meaning in documented():
        assert f"| `{variable}` | {f'`{default}`' if default else ''} | {meaning} |" in operating
