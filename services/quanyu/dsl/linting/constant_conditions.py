"""Explains why a single condition is always or never true by a rule of the language."""

from __future__ import annotations

from quanyu.dsl import syntax as s
from quanyu.dsl.linting.proving import Encoder, Site
from quanyu.dsl.model.types import nfkc

_TILES = {"quintile": "1 to 5 (R3)", "decile": "1 to 10 (R3)", "percentile": "1 to 100 (R10)"}


def explain_constant(node: s.Cond, encoder: Encoder, site: Site) -> str:
    """Returns the end of a sentence, or an empty text if the condition explains itself."""
    node = s.strip_not(node) or node
    match node:
        case s.Did(pattern=pattern):
            return _of_event_pattern(pattern)
        case s.InTop(size=size) | s.InBottom(size=size) if not size.value:
            return "a rank of 0 includes nobody (R7)"
        case s.Sample(percent=percent):
            return (
                "a sample of 0% includes nobody (S1)"
                if not percent.value
                else "a sample of 100% includes everybody (S1)"
            )
        case s.Compare() | s.Between() | s.InList():
            explanations = (_explain_value(child, encoder) for child in s.iter_children(node))
            return next(filter(None, explanations), "") or _explain_order(node, encoder, site)
    return ""


def _explain_order(node: s.Compare | s.Between | s.InList, encoder: Encoder, site: Site) -> str:
    """Names the declared values if the condition uses a value that an ordered enum does not have."""
    expr = node.left if isinstance(node, s.Compare) else node.expr
    kind = encoder.values.type_of(expr, site)
    written = {nfkc(child.value) for child in s.iter_children(node) if isinstance(child, s.Text)}
    if kind.ordered and written - set(map(nfkc, kind.values)):
        return f"its values are {' < '.join(kind.values)} (C7)"
    return ""


def _of_event_pattern(pattern: s.EventPattern) -> str:
    window = pattern.window
    if isinstance(window, (s.InAtLeast, s.InAtMost, s.InExactly)):
        return f"between 0 and {window.units.number} of {window.units.number} units can match (E8)"
    match pattern:
        case s.Event(times=s.AtLeast(number=0)):
            return "every number of times is at least 0 (E6)"
        case s.Sequence(later_steps=follow):
            gaps = [item for item in follow if isinstance(item, s.ThenStep) and item.after and item.within]
            if any(item.after.ms > item.within.ms for item in gaps if item.after and item.within):
                return "`after` is longer than `within` (Q12)"
            return "the gaps between its steps are longer than the window (Q9)"
    return ""


def _explain_value(expr: s.Node, encoder: Encoder) -> str:
    match expr:
        case s.Tile(fn=fn):
            return f"a {fn} is from {_TILES[fn]}"
        case s.Aggregate(fn="days"):
            limit = encoder.values.aggregate_tally(expr).limit
            return "" if limit == float("inf") else f"the window has at most {int(limit)} local days (A8)"
        case s.Aggregate(fn="count" | "distinct" as fn):
            return f"`{fn}` is a whole number of at least 0 (U10)"
    return ""
