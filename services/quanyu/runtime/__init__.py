"""What every service stands on: settings, data folder, logs, database, errors and gRPC."""
