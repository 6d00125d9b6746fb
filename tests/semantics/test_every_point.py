"""Every point of the language has a test in this folder that is named after it: `test_t13_...`."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_point_has_a_test_of_its_name():
    points = (HERE / "points.txt").read_text().split()
    assert len(points) == len(set(points)) == 156
    tests = re.findall(
        r"^def test_((?:[a-z]\d+_)+)", "".join(f.read_text() for f in HERE.glob("test_*.py")), re.MULTILINE
    )
    named = {point.upper() for codes in tests for point in codes.split("_") if point}
    assert named == set(points)
