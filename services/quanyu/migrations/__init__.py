"""One Alembic history for the tables of all services; `runtime.migration` runs it."""
