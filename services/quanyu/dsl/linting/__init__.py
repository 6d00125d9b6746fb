"""Proves facts about rules, and warns about rules that probably do not mean what the author intended."""
