"""`quanyu import`: sends the rows of a file to the ingestion service, following a mapping. See docs/import.md."""
