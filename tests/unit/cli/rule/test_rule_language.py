"""The language of a rule is that of its keywords, whatever its names and texts are."""

from __future__ import annotations

import pytest

from quanyu.cli.rule.rule_language import detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("did order ever", "en"),
        ("做过 order", "zh"),
        ("city = '上海'", "en"),
        ("did 下单 ever", "en"),
        ("city = '做过'", "en"),
        ("`做过` = 1", "en"),
        ("did order ever  # 做过", "en"),
        ("did order ever\n做过 order", "zh"),
        ("", "en"),
    ],
)
def test_only_keywords_decide(text: str, language: str) -> None:
    assert detect_language(text) == language
