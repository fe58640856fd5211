"""Change single lines of the package and see which tests notice: `make mutants`.

    python tools/mutants.py --sample 10 training/losses.py sampling/convergence.py
    python tools/mutants.py --sample 3                 a few of every file that tools/mutants.toml lists

Cosmic Ray makes the mutants: a comparison flipped, + for -, a number one off, `and` for `or`, a loop that does not run.
Each is tried in a forked process that has the heavy libraries already, on a copy of the source, with the tests that
tools/mutants.toml names for its file; a mutant that no test notices survives. A survivor is either excused there, by
itself or with its kind of line, with the reason, or it asks for a test: its formula compared with a value computed by
other means. Excused lines are not drawn.

The report goes to mutants/report.md: a table of files, then the survivors, each as the line before and after.
"""

import argparse
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import ndiff
from importlib import import_module
from pathlib import Path

import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "src" / "vectable"
SETTINGS = PROJECT / "tools" / "mutants.toml"
REPORT = PROJECT / "mutants" / "report.md"
OPERATORS = [
    *(
        f"ReplaceBinaryOperator_{pair}"
        for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul", "FloorDiv_Mul")
    ),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_Gt", "Gt_Lt")),
    *("ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_Invert"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "NumberReplacer", "ZeroIterationForLoop"),
]
# Imported before forking, so that no child pays for them; none of them starts a thread by being imported.
LIBRARIES = (
    "numpy scipy.stats torch numba polars pandas pyarrow sklearn narwhals hypothesis matplotlib PIL.Image safetensors"
)
NO_TESTS = 5  # pytest's exit code


@dataclass(frozen=True)
class Mutant:
    """One change: the file in the package, the line before and after, and the whole text with it."""

    file: str
    before: str
    after: str
    text: str = field(repr=False)


@dataclass
class Outcome:
    """How the mutants of a file fared."""

    noticed: int = 0
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """All of them."""
        return self.noticed + len(self.survivors)


def mutants_of(file: str) -> Iterator[Mutant]:
    """Every change that the operators make to a file of the package."""
    text = (PACKAGE / file).read_text(encoding="utf-8")
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        places = sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(get_ast(text)))
        for at in range(places):
            changed = mutate_code(text, operator, at)
            lines = [line for line in ndiff(text.splitlines(), changed.splitlines()) if line[0] in "+-"]
            before, after = ("\n".join(line[2:].strip() for line in lines if line[0] == sign) for sign in "-+")
            if (
                before != after and before.replace("*, ", "/, ") != after
            ):  # the star before parameters with a name alone
                yield Mutant(file, before, after, changed)


def run_tests(source: Path, tests: Sequence[str], cpu_seconds: int) -> tuple[bool, float]:
    """Run tests on a copy of the source in a forked process: whether all passed, and the CPU seconds it took.

    A process that uses more than `cpu_seconds`, or sleeps for a quarter of an hour, has noticed something.
    """
    started, child = time.monotonic(), os.fork()
    if child == 0:
        _be_the_child(source, tests, cpu_seconds)
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - started > 900 + 20 * cpu_seconds:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.05)
    code = os.waitstatus_to_exitcode(status)
    if code == NO_TESTS:
        sys.exit(f"No test was found in {', '.join(tests)}.")
    return code == 0, usage.ru_utime + usage.ru_stime


def _be_the_child(source: Path, tests: Sequence[str], cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    os.environ["PYTHONPATH"] = str(source)
    sys.path.insert(0, str(source))
    os.chdir(PROJECT)
    words = [str(PROJECT / "tests" / word) if word.startswith("test_") else word for word in tests]
    code = 2
    try:
        code = pytest.main(["-x", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist", *words])
    finally:
        os._exit(code)


class Settings:
    """tools/mutants.toml: which tests belong to which files, and which survivors are excused."""

    def __init__(self) -> None:
        read = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
        self._tests: dict[str, list[str]] = read["tests"]
        self._excused = {(one["file"], one["before"], one["after"]) for one in read.get("excused", [])}
        self._kinds = [re.compile(one["line"]) for one in read.get("excused_kinds", [])]

    def files(self) -> list[str]:
        """The files that are to be changed."""
        patterns = [path for pattern in self._tests for path in sorted(PACKAGE.glob(pattern))]
        return list(dict.fromkeys(path.relative_to(PACKAGE).as_posix() for path in patterns))

    def tests_of(self, file: str) -> list[str]:
        """The tests of the first pattern that the file matches."""
        for pattern, tests in self._tests.items():
            if PACKAGE / file in PACKAGE.glob(pattern):
                return tests
        sys.exit(f"tools/mutants.toml names no tests for {file}.")

    def excuses(self, mutant: Mutant) -> bool:
        """Whether its survival has a reason."""
        named = (mutant.file, mutant.before, mutant.after) in self._excused
        return named or any(kind.search(mutant.before) for kind in self._kinds)


def try_file(file: str, settings: Settings, sample: int, seed: int, source: Path) -> Outcome:
    """Try some mutants of a file in a copy of the source, which is left as it was."""
    tests, outcome = settings.tests_of(file), Outcome()
    every = [mutant for mutant in mutants_of(file) if not settings.excuses(mutant)]
    chosen = every if sample == 0 else random.Random(f"{seed} {file}").sample(every, min(sample, len(every)))
    passed, cpu = run_tests(source, tests, 3600)
    if not passed:
        sys.exit(f"The tests of {file} fail before anything is changed: {', '.join(tests)}.")
    for mutant in chosen:
        target = source / "vectable" / file
        target.write_text(mutant.text, encoding="utf-8")
        unnoticed, _ = run_tests(source, tests, int(4 * cpu) + 30)
        if unnoticed:
            outcome.survivors.append(mutant)
        else:
            outcome.noticed += 1
    shutil.copy(PACKAGE / file, source / "vectable" / file)
    print(f"{file}: {outcome.noticed} of {outcome.tried} noticed", flush=True)
    for mutant in outcome.survivors:
        print(f"  - {mutant.before}\n  + {mutant.after}", flush=True)
    return outcome


def write_report(outcomes: dict[str, Outcome]) -> None:
    """mutants/report.md."""
    tried = sum(one.tried for one in outcomes.values())
    left = sum(len(one.survivors) for one in outcomes.values())
    lines = ["# Mutants", "", f"{tried} tried, {left} survived without a reason ({left / max(tried, 1):.1%}).", ""]
    lines += ["| file | tried | noticed | survived |", "|:--|--:|--:|--:|"]
    for file, one in outcomes.items():
        lines.append(f"| {file} | {one.tried} | {one.noticed} | {len(one.survivors)} |")
    for file, one in outcomes.items():
        for mutant in one.survivors:
            lines += ["", f"{file}:", "", "```diff", f"- {mutant.before}", f"+ {mutant.after}", "```"]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"\n{lines[2]} See {REPORT.relative_to(PROJECT)}.")


def main() -> None:
    """Try mutants of the files named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="files of the package, as training/losses.py; default: all")
    parser.add_argument("--sample", type=int, default=3, help="mutants per file, chosen by the seed; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for library in LIBRARIES.split():
        import_module(library)
    settings, outcomes = Settings(), {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(PACKAGE.parent, source, ignore=shutil.ignore_patterns("__pycache__"))
        for file in options.files or settings.files():
            outcomes[file] = try_file(file, settings, options.sample, options.seed, source)
            write_report(outcomes)


if __name__ == "__main__":
    main()
