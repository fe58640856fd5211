"""Runs mutated cases of some subject in child processes: each must end in an answer or in a sentence.

A case fails where it raises anything but a VectableError, takes more than twice the memory of the valid one or more
than 10 s of the processor, or ends the process. What failed is printed with its number, by which ``--only NAME:NUMBER``
makes and tries it again, and the exit status is 1.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

SECONDS = 10
MEMORY_LEEWAY = 4 << 30  # address space beyond what the imports took
TIMES_CLEAN = 2.0  # peak memory of the process over that after the valid case


class Subject(Protocol):
    """Something that is mutated and tried."""

    def write(self, name: str, number: int, seed: int, folder: Path) -> Path:
        """Write case `number` of the subject called `name`, and say where; number 0 is the valid one."""

    def try_it(self, path: Path) -> object:
        """Do with a case what a user would."""


# ------------------------------------------------------------------------------------------- in the child


def run_cases(subject: Subject, name: str, first: int, last: int, seed: int, folder: Path) -> None:
    """Try the valid case, then those from `first` to `last`; a line of JSON before and after each on stdout."""
    from vectable.errors import VectableError

    warnings.simplefilter("ignore")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    clean = 0
    for number in [0, *range(first, last)]:
        path = subject.write(name, number, seed, folder)
        print(json.dumps({"begins": number}), flush=True)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # ends the process: nothing in it could catch that
        outcome = "answer"
        try:
            subject.try_it(path)
        except VectableError as problem:
            outcome = "sentence"
            if not str(problem).strip() or "\n" in str(problem).strip() or len(str(problem)) > 2000:
                outcome = f"no sentence: {str(problem)[:200]!r}"
        except BaseException as problem:
            where = traceback.extract_tb(problem.__traceback__)[-1]
            outcome = f"{type(problem).__name__}: {str(problem)[:160]!r} at {Path(where.filename).name}:{where.lineno}"
        signal.setitimer(signal.ITIMER_PROF, 0)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if number == 0:
            clean = peak
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_LEEWAY, used + MEMORY_LEEWAY))
        elif peak > TIMES_CLEAN * clean:
            outcome = f"{peak / clean:.1f} times the memory of the valid case ({outcome})"
        print(json.dumps({"ends": number, "outcome": outcome}), flush=True)
        if number and peak > TIMES_CLEAN * clean:  # which stays the peak of this process
            return


# ------------------------------------------------------------------------------------------- in the parent


def fuzz(script: str, name: str, cases: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Try mutated cases of one subject of a script.

    Returns:
        How many ended in an answer and in a sentence, and what failed, with its number.
    """
    counts: Counter[str] = Counter()
    failures: list[str] = []
    first = 1
    with tempfile.TemporaryDirectory() as folder:
        while first <= cases:
            command = [sys.executable, script, "--child", name, str(first), str(cases + 1), str(seed), folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
            ended = {one["ends"]: one["outcome"] for one in lines if "ends" in one}
            begun = max((one["begins"] for one in lines if "begins" in one), default=None)
            if begun is None or ended.get(0) not in (None, "answer"):
                raise RuntimeError(f"The valid {name} is not read: {ended.get(0)} {done.stderr[-500:]}")
            for number, outcome in ended.items():
                if number and outcome in ("answer", "sentence"):
                    counts[outcome] += 1
                elif number:
                    failures.append(f"{name}:{number} {outcome}")
            if begun not in ended:
                what = f"more than {SECONDS} s" if done.returncode == -signal.SIGPROF else f"ended by {done.returncode}"
                failures.append(f"{name}:{begun} {what} {done.stderr.strip()[-160:]!r}")
            first = begun + 1
    return counts, failures


def main(description: str, script: str, subjects: Mapping[str, Subject]) -> int:
    """The command line of a script."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--cases", type=int, default=100, help="mutated cases of each")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--names", "--formats", nargs="*", choices=subjects, default=list(subjects))
    options.add_argument("--only", help="NAME:NUMBER of one case, tried here with its traceback")
    options.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        name, first, last, seed, folder = given.child
        run_cases(subjects[name], name, int(first), int(last), int(seed), Path(folder))
        return 0
    if given.only:
        name, number = given.only.rsplit(":", 1)
        path = subjects[name].write(name, int(number), given.seed, Path(tempfile.mkdtemp()))
        print(path, subjects[name].try_it(path), sep="\n")
        return 0
    failed = 0
    for name in given.names:
        counts, failures = fuzz(script, name, given.cases, given.seed)
        print(f"{name}: {counts['answer']:,} answers, {counts['sentence']:,} sentences, {len(failures):,} failures")
        print(*(f"  {one}" for one in failures), sep="\n", end="\n" if failures else "", flush=True)
        failed += len(failures)
    return int(failed > 0)
