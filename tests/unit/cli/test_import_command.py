"""The summary of an import counts every row, and names the first refused ones."""

from __future__ import annotations

from quanyu.cli.import_command import format_summary
from quanyu.importer.client import Imported, RejectedRow


def test_a_summary_counts_new_known_and_refused_rows() -> None:
    imported = Imported(accepted=1_200, duplicates=30, rejected=0, seconds=2.0)
    assert format_summary("till.csv", imported) == (
        "till.csv: 1,230 rows in 2.0 s (615 rows/s): 1,200 new, 30 already there, 0 refused"
    )


def test_rows_of_an_earlier_run_are_counted_apart() -> None:
    imported = Imported(skipped=500, accepted=10, seconds=1.0)
    assert format_summary("till.csv", imported).startswith("till.csv: 10 rows after 500 of an earlier run in 1.0 s")


def test_an_import_that_took_no_time_has_no_rate() -> None:
    assert "rows/s" not in format_summary("till.csv", Imported())


def test_refused_rows_are_named_and_the_rest_is_counted() -> None:
    rejects = [RejectedRow(7, "MISSING_ID", "id", "is empty"), RejectedRow(9, "TOO_LARGE", "", "more than 1 MiB")]
    lines = format_summary("till.csv", Imported(rejected=1_002, rejects=rejects, seconds=1.0)).split("\n")
    assert lines[1:] == [
        "  row 7, id: is empty (MISSING_ID)",
        "  row 9: more than 1 MiB (TOO_LARGE)",
        "  and 1,000 more, kept as dead letters by the service",
    ]
