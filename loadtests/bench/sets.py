"""Compares set algebra with CRoaring on the public Roaring data sets, from serialised input to serialised output.

`python -m loadtests.bench.sets FOLDER` where FOLDER holds the zip files of RoaringBitmap/real-roaring-datasets
(a Go module: `go mod download -json github.com/RoaringBitmap/real-roaring-datasets@latest` prints its folder).
"""

from __future__ import annotations

import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from pyroaring import BitMap64
from rich.console import Console
from rich.table import Table

from quanyu.engine import roaring_difference, roaring_union

ROUNDS = 7
# Added to every id, so that the ids are people of the first partition.
PARTITION = np.uint64(1 << 32)
Algebra = Callable[[bytes, bytes], bytes]


def _union(a: bytes, b: bytes) -> bytes:
    return bytes((BitMap64.deserialize(a) | BitMap64.deserialize(b)).serialize())


def _difference(a: bytes, b: bytes) -> bytes:
    return bytes((BitMap64.deserialize(a) - BitMap64.deserialize(b)).serialize())


OPERATIONS: dict[str, tuple[Algebra, Algebra]] = {
    "union": (roaring_union, _union),
    "difference": (roaring_difference, _difference),
}


def read(archive: Path) -> Iterator[bytes]:
    """Yields the sets of a data set as Roaring bytes."""
    with zipfile.ZipFile(archive) as files:
        for name in sorted(files.namelist()):
            ids = np.fromstring(files.read(name).decode(), dtype=np.uint64, sep=",")
            people = BitMap64((ids + PARTITION).tolist())
            people.run_optimize()
            yield bytes(people.serialize())


def seconds(algebra: Algebra, pairs: list[tuple[bytes, bytes]]) -> float:
    started = time.perf_counter()
    for a, b in pairs:
        algebra(a, b)
    return time.perf_counter() - started


def compare(ours: Algebra, theirs: Algebra, pairs: list[tuple[bytes, bytes]]) -> tuple[float, float]:
    """Returns the median time of one operation in microseconds, ours and theirs. Checks that the results are equal."""
    for a, b in pairs:
        assert BitMap64.deserialize(ours(a, b)) == BitMap64.deserialize(theirs(a, b)), "the answers differ"
    rounds = [(seconds(ours, pairs), seconds(theirs, pairs)) for _ in range(ROUNDS)]
    mine, other = (median(column) * 1e6 / len(pairs) for column in zip(*rounds, strict=True))
    return mine, other


def main(folder: Path) -> None:
    archives = sorted(folder.glob("*.zip"))
    if not archives:
        sys.exit(f"{folder} holds no zip files of the Roaring data sets")
    table = Table("data set", "operation", "sets", "quanyu, µs", "croaring, µs", "ratio")
    ratios = []
    for archive in archives:
        sets = list(read(archive))
        pairs = list(pairwise(sets))
        for name, (ours, theirs) in OPERATIONS.items():
            mine, other = compare(ours, theirs, pairs)
            ratios.append(mine / other)
            table.add_row(archive.stem, name, str(len(sets)), f"{mine:.1f}", f"{other:.1f}", f"{ratios[-1]:.2f}")
    console = Console()
    console.print(table)
    console.print(f"geometric mean of the ratios {float(np.exp(np.mean(np.log(ratios)))):.2f}, worst {max(ratios):.2f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
