"""The catalog of docs/rules/catering.yaml, which the examples in the documentation use."""

from pathlib import Path

from quanyu import dsl
from quanyu.cli.catalog_file import load_catalog
from quanyu.tagging.evaluation.catalog import catalog_of

DOCS = Path(__file__).parents[3] / "docs"


def catalog() -> dsl.Catalog:
    declared = load_catalog(DOCS / "rules/catering.yaml")
    return catalog_of(declared.schema, declared.channels)
