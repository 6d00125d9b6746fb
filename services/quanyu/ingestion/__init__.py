"""Takes in what happens: durable when acknowledged, counted once."""
