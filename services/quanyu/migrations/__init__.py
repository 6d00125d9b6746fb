"""One Alembic history for the tables of all services; `runtime.storage.migration` runs it."""
