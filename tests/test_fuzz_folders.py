"""A share of the mutated folders of `fuzz/fuzz_folders.py`: answers or sentences, in bounded memory and time."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))
import fuzz_folders
from driver import fuzz


@pytest.mark.parametrize("name", ["dot-product/whole", "dot-product/serving/answers"])
def test_a_few_mutated_folders_answer_or_are_refused_in_a_sentence(name: str) -> None:
    counts, failures = fuzz(fuzz_folders.__file__, name, cases=20, seed=1)
    assert failures == []
    assert counts["answer"] + counts["sentence"] == 20


@pytest.mark.slow
@pytest.mark.parametrize("name", fuzz_folders.FOLDERS)
def test_mutated_folders_of_every_kind_answer_or_are_refused_in_a_sentence(name: str) -> None:
    counts, failures = fuzz(fuzz_folders.__file__, name, cases=60, seed=2)
    assert failures == []
    assert counts["sentence"] > 0


@pytest.mark.slow
def test_processes_that_save_are_killed_and_nothing_is_lost_or_left_over() -> None:
    script = Path(fuzz_folders.__file__).with_name("kill_savers.py")
    done = subprocess.run(
        [sys.executable, script, "--kills", "15", "--seed", "3"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "15 kills: nothing lost, nothing left over" in done.stdout
