"""What is kept on disk: the data folder, the logs and the SQL database."""
