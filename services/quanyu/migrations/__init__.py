"""The Alembic history of the tables of all services. `runtime.storage.migration` runs it."""
