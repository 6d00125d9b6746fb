"""The base of every service: settings, data folder, logs, database, errors, background work and gRPC."""
