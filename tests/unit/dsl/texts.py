"""Random texts: words of rules in any order, and any characters."""

from hypothesis import strategies as st

from quanyu.dsl.keywords import RESERVED
from tests.unit.dsl.renamer import EVENT_NAMES, PROPERTY_NAMES, VALUE_NAMES

_WORDS = (
    sorted(RESERVED | {*EVENT_NAMES, *VALUE_NAMES, *PROPERTY_NAMES})
    + list("()[]{}=<>,.:;+-*/%'\"@# \n\t5`")
    + ["30d", "3.5%"]
)
any_texts = st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join) | st.text(max_size=30)
