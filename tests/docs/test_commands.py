"""Runs the commands on the pages about rules and compares their output with the pages."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import blocks_of_all_pages
from tests.unit.dsl.catering import DOCS
from tests.waiting import PATIENCE


def commands(block: str) -> list[tuple[str, str]]:
    """Returns each command of a console block with its output."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def equals_shown(shown: str, printed: str) -> bool:
    """Returns whether the output equals the page; a line `...` on the page stands for any lines."""
    lines = [line.rstrip() for line in shown.rstrip("\n").split("\n")]
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in lines)
    actual = "".join(f"{line.rstrip()}\n" for line in printed.rstrip("\n").split("\n"))
    return re.fullmatch(pattern, actual) is not None


@pytest.mark.parametrize(("page", "block"), blocks_of_all_pages("console"))
def test_each_command_prints_what_the_page_shows(page: Path, block: str, tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    assert commands(block)
    for command, shown in commands(block):
        program, *words = shlex.split(command)
        assert program == "quanyu", command
        environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1", "QUANYU_DATA": str(tmp_path / "data")}
        run = [sys.executable, "-m", "quanyu", *words]
        ran = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        printed = ran.stdout + ran.stderr
        assert equals_shown(shown, printed), f"$ {command}\n{printed}"


def test_output_is_compared_line_by_line() -> None:
    assert commands("$ a b\none\ntwo\n$ c\n") == [("a b", "one\ntwo\n"), ("c", "")]
    assert equals_shown("one\n...\nfour\n", "one\ntwo  \nthree\nfour\n")
    assert equals_shown("one\n...\n", "one\n")
    assert not equals_shown("one\n", "one\ntwo\n")
    assert not equals_shown("one\n...\nfour\n", "one\ntwo\n")
