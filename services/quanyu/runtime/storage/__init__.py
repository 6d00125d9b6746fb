"""Data on disk: the data folder, the logs and the SQL database."""
