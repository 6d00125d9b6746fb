"""Log lines have the extra fields, and JSON lines can always be parsed."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from quanyu.runtime.logging_setup import JsonLines, TextLines, set_up_logging
from quanyu.runtime.settings import Settings


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "quanyu.test", "levelname": "WARNING", "levelno": 30, "created": 0.5})
    made.msg, made.args = message, arguments
    made.__dict__.update(extra)
    return made


def test_a_json_line_has_time_level_message_and_extra_fields() -> None:
    line = JsonLines().format(record("row %d of %s", 7, "城市", correlation_id="c1"))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.500+00:00",
        "level": "WARNING",
        "logger": "quanyu.test",
        "message": "row 7 of 城市",
        "correlation_id": "c1",
    }


def test_a_json_line_has_the_traceback_and_values_of_other_types() -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        failed = record("failed\nbadly", held={1, 2}.__class__)
        failed.exc_info = sys.exc_info()
    line = JsonLines().format(failed)
    assert "\n" not in line
    entry = json.loads(line)
    assert "KeyError: 'gone'" in entry["error"]
    assert entry["held"] == "<class 'set'>"


def test_a_text_line_ends_with_the_extra_fields() -> None:
    line = TextLines().format(record("failed", correlation_id="c1"))
    assert line.endswith("WARNING quanyu.test: failed correlation_id=c1")


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize(("log_format", "formatter"), [("json", JsonLines), ("text", TextLines)])
def test_settings_choose_format_and_level(root_logger: logging.Logger, log_format: str, formatter: type) -> None:
    set_up_logging(Settings(log_format=log_format, log_level="ERROR"))
    (handler,) = root_logger.handlers
    assert isinstance(handler.formatter, formatter)
    assert root_logger.level == logging.ERROR
