"""The languages that rules are written in."""

from __future__ import annotations

import re

from quanyu.api.tagging.v1 import tagging_pb2 as pb
from quanyu.dsl import Language
from quanyu.dsl.keywords import RESERVED

MESSAGES: dict[Language, pb.Language] = {"en": pb.LANGUAGE_EN, "zh": pb.LANGUAGE_ZH}
_NO_KEYWORDS = re.compile(r"""'[^'\n]*'|"[^"\n]*"|`[^`\n]*`|\#[^\n]*""")


def detect_language(text: str) -> Language:
    """Returns Chinese if one of the keywords is Chinese, else English."""
    words = re.findall(r"\w+", _NO_KEYWORDS.sub(" ", text))
    return "zh" if any(word in RESERVED and not word.isascii() for word in words) else "en"
