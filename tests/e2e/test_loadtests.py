"""Runs each user of the load test for a few seconds against a real server; no call fails."""

import csv
import subprocess
import sys
from pathlib import Path

from tests.integration.server_process import ALL, address_of, serve
from tests.waiting import PATIENCE

LOCUSTFILE = Path(__file__).parents[2] / "loadtests" / "locustfile.py"
CALLS = {"IngestionService/Ingest", "IdentityService/BatchResolve", "TaggingService/PreviewRule"} | {
    "TaggingService/ListMembers",
    "DeliveryService/PlanCampaign",
}


def test_each_user_runs_without_a_failed_call(tmp_path: Path) -> None:
    server = serve(tmp_path / "data", *ALL)
    try:
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--host", address_of(server), "--headless"]
        options = ["-u", "4", "-r", "4", "-t", "6s", "--csv", str(tmp_path / "stats"), "--only-summary"]
        run = subprocess.run([*command, *options], capture_output=True, text=True, timeout=PATIENCE, check=False)
    finally:
        server.kill()
        server.communicate()
    assert run.returncode == 0, run.stderr[-3000:]
    with (tmp_path / "stats_stats.csv").open() as file:
        rows = {row["Name"].removeprefix("v1."): row for row in csv.DictReader(file)}
    assert rows.keys() >= CALLS
    assert all(int(rows[name]["Request Count"]) > 0 and rows[name]["Failure Count"] == "0" for name in CALLS)
