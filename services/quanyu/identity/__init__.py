"""Who is who: identifiers to people, by folding the raw log."""
