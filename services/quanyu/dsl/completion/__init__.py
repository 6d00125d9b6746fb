"""Lists what may stand at a cursor."""
