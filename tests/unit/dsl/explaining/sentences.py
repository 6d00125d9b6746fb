"""Explains rules of the tests' world."""

from quanyu.dsl import Clock, Language, explain
from tests.unit.dsl.world import CATALOG, CLOCK, LIBRARY, bind


def explain_rule(rule: str, clock: Clock = CLOCK, language: Language = "en") -> list[str]:
    bound = bind(rule)
    return explain(bound, LIBRARY.publish(bound), CATALOG, clock, language)


def explain_clause(rule: str, language: Language = "en") -> str:
    """Returns the sentence for a rule with a single clause."""
    (line,) = explain_rule(rule, language=language)
    return line
