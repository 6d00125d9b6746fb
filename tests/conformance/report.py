"""Writes docs/rules/conformance.md, with counts and reasons: `python -m tests.conformance.report`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.conformance import cel, clickhouse, json_logic
from tests.conformance.suite import (
    DIFFERS,
    PASSES,
    UNSUPPORTED,
    Case,
    Outcome,
    Question,
    count_by_kind,
    load,
    run_cases,
)
from tests.unit.dsl.catering import DOCS

PAGE = DOCS / "rules/conformance.md"
SUITES: dict[str, Callable[[Case], Question]] = {
    "json_logic": json_logic.translate,
    "cel": cel.translate,
    "clickhouse": clickhouse.translate,
}
_HEAD = """# Conformance with other languages' test suites

This page compares the rule language with three public test suites.
Each case is translated mechanically into a rule, and the engine evaluates it. The expected result is that of the
source, unchanged. A case *passes* if the results agree, *differs* if Quanyu deliberately returns another result, and
is *unsupported* if the rule language has no such construct.
`python -m tests.conformance.report` writes this page, and the tests check it.

| suite | source | cases | pass | differ by design | unsupported |
|---|---|---|---|---|---|
"""


def run_suites() -> dict[str, tuple[dict[str, str], list[Outcome]]]:
    found = {}
    for suite, translate in SUITES.items():
        source, cases = load(suite)
        found[suite] = (source, run_cases(cases, translate))
    return found


def render_page(found: dict[str, tuple[dict[str, str], list[Outcome]]]) -> str:
    rows = []
    for source, judgements in found.values():
        number = count_by_kind(judgements)
        origin = f"{source['repository']} `{source['file']}` at {source['commit']}"
        figures = f"{len(judgements)} | {number[PASSES]} | {number[DIFFERS]} | {number[UNSUPPORTED]}"
        rows.append(f"| {source['name']} | {origin} | {figures} |")
    parts = [_HEAD + "\n".join(rows) + "\n"]
    for source, judgements in found.values():
        parts.append(
            f"\n## {source['name']}\n\n| | cases | why | for example |\n|---|---|---|---|\n{_reasons(judgements)}\n"
        )
    return "".join(parts)


def _reasons(judgements: list[Outcome]) -> str:
    lines = []
    for kind in (DIFFERS, UNSUPPORTED):
        of_kind = [outcome for outcome in judgements if outcome.kind == kind]
        for reason, number in Counter(outcome.reason for outcome in of_kind).most_common():
            first = next(outcome for outcome in of_kind if outcome.reason == reason)
            ours = f": expected {_short(first.case.expected)}, here {first.said}" if kind == DIFFERS else ""
            lines.append(f"| {kind} | {number} | {reason} | `{_short(first.case.source)}`{ours} |")
    return "\n".join(lines)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False).replace("|", "\\|").replace("`", "'")
    return text if len(text) < 90 else f"{text[:87]}..."


if __name__ == "__main__":
    PAGE.write_text(render_page(run_suites()), encoding="utf-8")
