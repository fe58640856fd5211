"""The check for phrases that read as translated: it finds them with their place, and finds none in the package."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def check(*names):
    command = [sys.executable, ROOT / "tools" / "phrases.py", *names]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('"""You are told how often."""', "'are told'"),
        ("# a column with holes", "'holes'"),
        ("n is 0; it is a number, 1 or more.", "positive integer"),
        ("a row a user", "per"),
        ("momentum .9", "0.9, with the zero"),
    ],
)
def test_a_phrase_is_found_with_its_place(tmp_path, line, found):
    file = tmp_path / "page.md"
    file.write_text(f"Fine.\n{line}\n")
    done = check(file)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{file}:2: ")
    assert found in done.stdout


def test_plain_words_and_code_pass(tmp_path):
    (tmp_path / "code.py").write_text("beta = 0.9  # phrases: ok, holes\nf'{x:.3f}' + 'whole manifolds' + str(a.b)\n")
    assert check(tmp_path).returncode == 0


def test_the_package_and_the_book_hold_none():
    done = check("src", "docs", "mkdocs.yml", "README.md", "CONTRIBUTING.md")
    assert done.returncode == 0, done.stdout
