"""Chinese words without spaces, and Chinese words that are not keywords (G14)."""

import pytest

from quanyu.dsl import RuleError, parse, parse_condition
from quanyu.dsl.parsing.parser import is_condition
from quanyu.dsl.syntax_errors.foreign_syntax.chinese import CHINESE_PATTERNS, UNSPACED_CHINESE

# text, column of the error, message, suggestions
CASES = [
    ("城市 = '上海' 或者 城市 = '北京'", 11, "两者之一写作 或; write either as 或", ["或"]),
    ("做过 下单 在 最近 3个月", 13, "单位前写 自然; write 自然 before whole units", [" 自然 "]),
    ("没有做过 下单", 1, "没有发生写作 没做过; write what did not happen with 没做过", ["没做过 "]),
    (
        "做过 下单 在 最近 30d 至少 3 次",
        7,
        "次数在时间之前; write the number of times before the window",
        ["至少 3 次 在 最近 30d"],
    ),
    ("城市 = '上海' 同时 等级 = 1", 11, "并列写作 且; join conditions with 且", ["且"]),
    (
        "近7天 下单",
        1,
        "事件写作 做过 下单 在 最近 30d; write what somebody did with 做过",
        ["做过 下单 在 最近 7d", "做过 下单 在 最近 7 自然 天"],
    ),
    ("城市='上海'且做过 下单", 8, "中文词之间要有空格; separate Chinese words with spaces (G14)", ["且 做过"]),
]


@pytest.mark.parametrize(("text", "column", "message", "offers"), CASES, ids=[row[0] for row in CASES])
def test_foreign_syntax_is_an_error_with_a_suggestion(text: str, column: int, message: str, offers: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        (parse_condition if is_condition(text) else parse)(text)
    error = caught.value
    assert (error.column, error.message, list(error.suggestions)) == (column, message, offers)
    assert message in {pattern.message for pattern in (*CHINESE_PATTERNS, *UNSPACED_CHINESE)}
