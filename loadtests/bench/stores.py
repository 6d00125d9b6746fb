"""Finds the data sets and loaded stores of earlier runs, or creates them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from loadtests.bench.processes import Process
from loadtests.bench.system import fingerprint
from loadtests.bench.world import SEED, VERSION, Scale, Watch, World, prepare

_LOADED = "loaded.json"


def world_of(scale: Scale, root: Path, watch: Watch) -> World:
    """Returns the data set of a scale, seed and version. Creates it if it is missing."""
    return prepare(scale, root.absolute() / f"{scale.name}-{SEED}-{VERSION}" / "world", watch)


def store_of(system: str, world: World) -> Path:
    """Returns the folder in which the current version of a system stores that data set."""
    return world.folder.parent / f"{system}-{fingerprint(system)}"


def load(system: str, world: World, watch: Watch) -> dict[str, float]:
    """Loads a system if its store is missing. Returns the cost: seconds, bytes on disk, peak bytes in memory.

    Removes the store of another version of the same system first. For an existing store, returns the stored cost.
    """
    store = store_of(system, world)
    if not (store / _LOADED).exists():
        for former in store.parent.glob(f"{system}-*"):
            shutil.rmtree(former)
        store.mkdir()
        with Process(system, world, store) as process:
            cost = process.load(watch)
        cost["disk_bytes"] = sum(file.stat().st_blocks * 512 for file in store.rglob("*") if file.is_file())
        (store / _LOADED).write_text(json.dumps(cost))
    found: dict[str, float] = json.loads((store / _LOADED).read_text())
    return found
