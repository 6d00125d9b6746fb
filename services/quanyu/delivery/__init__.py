"""From an audience to messages: exactly those people, once, and what became of everyone."""
