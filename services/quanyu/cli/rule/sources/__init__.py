"""What rules are read against: a running server, a data folder, or a catalog in a file."""
