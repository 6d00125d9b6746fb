"""The library: versions of published rules."""

import pytest

from quanyu.dsl import Library, RuleError, parse
from quanyu.dsl import syntax as s

LIBRARY = Library.from_texts(["define touch@2 = order", "define touch@10 = scan", "segment a: points = 1"])


def test_newest_compares_versions_as_numbers() -> None:
    assert LIBRARY.newest("touch") == 10
    assert LIBRARY.newest("nothing") == 0
    assert LIBRARY.newest_of(s.Define) == [("touch", 10)]


def test_kind_is_the_statement_of_the_name() -> None:
    assert (LIBRARY.kind("touch"), LIBRARY.kind("a"), LIBRARY.kind("nothing")) == (s.Define, s.Segment, None)


def test_publish_returns_a_new_library_and_keeps_the_old_one() -> None:
    later = LIBRARY.publish(parse("define touch@11 = refund"))
    assert (later.newest("touch"), LIBRARY.newest("touch")) == (11, 10)
    assert later.get("touch", 2) == LIBRARY.get("touch", 2)


def test_publish_rejects_another_meaning_for_a_version_and_suggests_the_next() -> None:
    with pytest.raises(RuleError) as caught:
        LIBRARY.publish(parse("define touch@2 = refund"))
    assert (caught.value.reason, caught.value.suggestions) == ("version", ("touch@11",))
