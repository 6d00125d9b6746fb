"""Ingestion: records are durable when acknowledged and count once."""
