"""A naive evaluator of rules, written from docs/rules/semantics.md alone."""
