"""A share of the mutated files of `fuzz/fuzz_readers.py`: answers or sentences, in bounded memory and time.

Parquet and Arrow are left to the script: polars ends the process for a length in a damaged page or block that no memory
can hold, which a test cannot turn into a sentence.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))
import fuzz_readers
from driver import fuzz
from fuzz_readers import FORMATS

TESTED = [name for name in FORMATS if "parquet" not in name and "arrow" not in name]


@pytest.mark.parametrize("name", ["csv", "digits"])
def test_a_few_mutated_files_are_read_or_refused_in_a_sentence(name: str) -> None:
    counts, failures = fuzz(fuzz_readers.__file__, name, cases=20, seed=1)
    assert failures == []
    assert counts["answer"] + counts["sentence"] == 20


@pytest.mark.slow
@pytest.mark.parametrize("name", TESTED)
def test_mutated_files_of_every_format_are_read_or_refused_in_a_sentence(name: str) -> None:
    counts, failures = fuzz(fuzz_readers.__file__, name, cases=120, seed=3)
    assert failures == []
    assert counts["sentence"] > 0
