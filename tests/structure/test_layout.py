"""Checks the sizes of files and folders, the places of unit tests and the paths that docs/architecture.md names."""

import re
import subprocess
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
MAX_LINES, MAX_FILES, MAX_TERMS = 400, 16, 40
SOURCE = {".py", ".pyi", ".rs", ".proto", ".lark", ".sh"}


def source_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in map(Path, listed.splitlines()) if path.suffix in SOURCE and (ROOT / path).exists()]


def first_cells(header: str) -> list[str]:
    """Returns the names in the first column of a table of docs/architecture.md."""
    table = ARCHITECTURE.split(f"| {header} |", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def test_only_the_exceptions_exceed_the_size_rules() -> None:
    files = source_files()
    long = {str(path) for path in files if len((ROOT / path).read_text().splitlines()) > MAX_LINES}
    folders = Counter(path.parent for path in files)
    full = {str(folder) for folder, count in folders.items() if count > MAX_FILES}
    assert long | full == set(first_cells("file or folder"))


def test_each_module_has_its_unit_test() -> None:
    package = Path("services/quanyu")
    modules = [path.relative_to(package) for path in source_files() if path.is_relative_to(package)]
    modules = [path for path in modules if path.suffix == ".py" and path.name not in ("__init__.py", "__main__.py")]
    assert len(modules) > 200
    without = [m for m in modules if not (ROOT / "tests/unit" / m.parent / f"test_{m.name}").exists()]
    exceptions = first_cells("module")
    assert [str(m) for m in without if not any(fnmatch(str(m), pattern) for pattern in exceptions)] == []
    assert [p for p in exceptions if not any(fnmatch(str(m), p) for m in without)] == []


def test_each_folder_of_unit_tests_mirrors_a_package() -> None:
    tests = Path("tests/unit")
    folders = {path.parent.relative_to(tests) for path in source_files() if path.is_relative_to(tests)}
    assert [str(folder) for folder in folders if not (ROOT / "services/quanyu" / folder).exists()] == []


def test_the_glossary_is_short_and_its_paths_exist() -> None:
    glossary = ARCHITECTURE.split("## Glossary", 1)[1].split("\n## ", 1)[0]
    paths = re.findall(r"^\| (?!term|-).* \| `([^`]+)` \|$", glossary, re.MULTILINE)
    assert 20 < len(paths) <= MAX_TERMS
    for path in paths:
        assert list(ROOT.glob(path.replace("...", "**"))), path
