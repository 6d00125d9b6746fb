"""Dependents of a change are compared as if they were published again on top of it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from quanyu.dsl import Library, check_and_bind
from quanyu.tagging.evaluation.context import EvaluationContext
from quanyu.tagging.preview.impact import MAX_DEPENDENTS, Impact, describe_impact
from tests.seed import examples
from tests.unit.tagging.sample_workspace import CATALOG, CLOCK, EmptyIndex


def library_of(*texts: str) -> Library:
    library = Library()
    for text in texts:
        library = library.publish(check_and_bind(text, CATALOG, library))
    return library


def impact_of(library: Library, text: str) -> Impact:
    evaluation = EvaluationContext(CATALOG, library, CLOCK)
    return describe_impact(evaluation, EmptyIndex(), evaluation.bind(text))  # type: ignore[arg-type]


CHAIN = "\n".join(
    [
        "define d = order",
        "metric m = count(d)",
        "segment s: m > 3",
        "segment t among s: city = 'Beijing'",
        "tag g: 'a' when in segment t; else 'b'",
        "segment apart: city = 'Beijing'",
    ]
)


@examples(60)
@given(st.sets(st.sampled_from("dmstg"), max_size=4), st.sampled_from("dms"))
def test_dependents_are_republished_on_the_changed_version(older: set[str], changed: str) -> None:
    """`older`: rules that also have a version before the used one."""
    texts = dict(zip("dmstg", CHAIN.split("\n"), strict=False))
    library = Library()
    versions = dict.fromkeys("dmstg", 1)
    for name, text in texts.items():
        for version in (1, 2) if name in older else (1,):
            versioned = text.replace(f" {name}", f" {name}@{version}", 1)
            extra = versioned.replace("> 3", "> 2").replace("= order", "= order where (amount > 1)")
            written = extra if version == 1 and name in older and name in "ds" else versioned
            library = library.publish(check_and_bind(written, CATALOG, library))
            versions[name] = version
    new = {"d": "define d@9 = order where (amount > 7)", "m": "metric m@9 = count(d) + 1", "s": "segment s@9: m > 7"}
    found = impact_of(library, new[changed])
    rest = "dmstg"["dmstg".index(changed) + 1 :]
    assert [(c.name, c.from_version, c.to_version) for c in found.changed] == [(changed, versions[changed], 9)]
    assert {(c.name, c.from_version, c.to_version) for c in found.dependents} == {
        (name, versions[name], versions[name] + 1) for name in rest
    }
    for change in found.dependents:
        # The description of a dependent names the changed rule, also if another rule is between them.
        words = " ".join(change.differences)
        assert f"{changed}@9 is used, was {changed}@{versions[changed]}" in words
        assert re.search(rf"\b{changed}@{versions[changed]}\b", words)


def test_only_newest_versions_are_dependents() -> None:
    library = library_of("define d = order", "segment s: did d", "segment s@2: city = 'Beijing'")
    assert impact_of(library, "define d@2 = order where (amount > 3)").dependents == []


def test_a_dependent_that_the_text_itself_changes_is_listed_once() -> None:
    library = library_of("define d = order", "segment s: did d", "segment t: in segment s")
    found = impact_of(library, "define d@2 = order where (amount > 3)\nsegment s@2: did d")
    assert [change.name for change in found.changed] == ["d", "s"]
    assert [change.name for change in found.dependents] == ["t"]


def test_an_invalid_dependent_has_an_error_and_a_new_rule_has_no_impact() -> None:
    library = library_of("metric m = count(order)", "segment s: m > 3", "segment t: in segment s")
    (wrong,) = impact_of(library, "metric m@2 = earliest(order)").dependents
    assert (wrong.name, wrong.comparisons, "line 1" in wrong.error) == ("s", [], True)
    nothing = impact_of(library, "segment new: m > 3")
    assert (nothing.changed, nothing.dependents) == ([], [])


def test_at_most_a_hundred_dependents_are_compared() -> None:
    segments = "\n".join(f"segment s{n}: did d" for n in range(MAX_DEPENDENTS + 7))
    library = library_of("define d = order", segments, "segment z: in segment s99")
    found = impact_of(library, "define d@2 = order where (amount > 3)")
    assert (len(found.dependents), found.left_out) == (MAX_DEPENDENTS, 8)
    assert all(len(change.comparisons) == 1 for change in found.dependents)
