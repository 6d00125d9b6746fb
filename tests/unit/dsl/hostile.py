"""Parses a hostile text with limited memory and time: `python -m tests.unit.dsl.hostile SHAPE`."""

import resource
import sys
from collections.abc import Callable

from quanyu.dsl import RuleError, check_and_bind, compile_condition, format_rule, parse
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY

SIZE = 100_000
MEMORY = 2 << 30
CPU_SECONDS = 60


def repeated(part: str, joined: str = "", before: str = "", after: str = "") -> str:
    """Returns a text of the maximum length with as many parts as possible."""
    count = (SIZE - len(before) - len(after)) // (len(part) + len(joined))
    return before + joined.join([part] * count) + after


SHAPES: dict[str, Callable[[], str]] = {
    "open brackets": lambda: repeated("("),
    "brackets of lists": lambda: repeated("[", before="points in "),
    "brackets closed": lambda: repeated(")"),
    "99 deep, over and over": lambda: repeated("(" * 99 + "points = 1" + ")" * 99, " and "),
    "a long chain": lambda: repeated("points = 1", " and "),
    "a mixed chain": lambda: repeated("points = 1 and points = 2 or points = 3", " and "),
    "a long sum": lambda: repeated("points", " + ", after=" > 1"),
    "a long list": lambda: repeated("'x'", ", ", "city in [", "]"),
    "a long list of names": lambda: repeated("zz", ", ", "city in [", "]"),
    "a list without commas": lambda: repeated("'x'", " ", "city in [", "]"),
    "a path of many keys": lambda: repeated("a", ".", after=" = 1"),
    "not not": lambda: repeated("not ", after="points = 1"),
    "not in brackets": lambda: repeated("not (", before="points = 1 and "),
    "an unclosed quote": lambda: "city = '" + "x" * (SIZE - 10),
    "unclosed quotes": lambda: repeated("'\n"),
    "many statements": lambda: "\n".join(f"segment s{n}: points = {n}" for n in range(3_500)),
    "one statement many times": lambda: repeated("segment s: points = 1", "\n"),
    "a chain of metrics": lambda: "\n".join(f"metric m{n + 1} = m{n}" for n in range(4_000)),
    "many wrong statements": lambda: repeated("segment s points = 1", "\n"),
    "many wrong words": lambda: repeated("AND"),
    "words side by side": lambda: repeated("points ", after="= 1"),
    "events of a definition": lambda: repeated("order", " or ", "define d = ", " where (quantity > 1)"),
    "steps of a sequence": lambda: repeated("order", " then ", "did (", ")"),
    "without upon without": lambda: repeated(" without scan", before="did (order", after=")"),
    "tiers": lambda: repeated("'a' when points = 1; ", before="tag t: "),
    "a number of many digits": lambda: "points > " + "9" * (SIZE - 10),
    "a duration of many digits": lambda: "did order in last " + "9" * (SIZE - 30) + "d",
    "a metre of many digits": lambda: "did order in last " + "9" * (SIZE - 30) + "m",
    "half a duration of many digits": lambda: "did order in last " + "9" * (SIZE - 40) + "h30min",
    "an anniversary of many digits": lambda: "anniversary of born in next " + "9" * (SIZE - 40) + "d",
    "a version of many digits": lambda: "last_touch@" + "9" * (SIZE - 30) + " > 3d",
    "white space": lambda: " " * (SIZE - 10) + "points = 1",
    "white space inside": lambda: "points" + " " * (SIZE - 20) + "= ",
    "comments": lambda: repeated("#\n", after="points = 1"),
    "one long word": lambda: "x" * SIZE,
    "one long Chinese word": lambda: "且做过" * (SIZE // 3),
    "default of default": lambda: repeated("points", " default ", after=" > 1"),
    "betweens": lambda: repeated("points between 1 and 2", " or ", after=" and points = 1"),
    "windows": lambda: repeated("did order in last 30d", " and "),
    "wrong windows": lambda: repeated("did order last 30d", " and "),
    "a test of many facts": lambda: repeated("given a { points: 1 } ", before="test 'x' { ", after=" }"),
}


def main(shape: str) -> None:
    """Prints `read` or the reason of the error, and the length of the error."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    text = SHAPES[shape]()
    try:
        bound = check_and_bind(text, CATALOG, LIBRARY)
        if bound.condition is not None:
            compile_condition(bound, LIBRARY, CATALOG, CLOCK)
        elif bound.script is not None:
            assert parse(format_rule(bound.script)) == bound.script
        print("read", 0)
    except RuleError as error:
        print(error.reason.replace(" ", "-"), len(str(error)))


if __name__ == "__main__":
    main(sys.argv[1])
