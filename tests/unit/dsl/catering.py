"""The names of docs/rules/catering.yaml, as the examples of the documents use them."""

from pathlib import Path

from quanyu import dsl
from quanyu.tagging.catalog import catalog_of
from quanyu.tagging.catalog_file import load_catalog

DOCS = Path(__file__).parents[3] / "docs"


def catalog() -> dsl.Catalog:
    declared = load_catalog(DOCS / "rules/catering.yaml")
    return catalog_of(declared.schema, declared.channels)
