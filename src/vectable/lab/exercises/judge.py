"""The judge: runs a file, compares what it computes with the solution, and knows common mistakes.

`judge_file` runs the file in a child process with a time limit; the child is this module.
"""

import json
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from vectable.errors import DataError, VectableError
from vectable.lab.exercises.catalogue import exercise_named
from vectable.lab.exercises.differences import first_difference
from vectable.lab.exercises.exercise import Check, Exercise
from vectable.lab.exercises.notebook import code_in

MOST_PRINTED = 2_000  # characters of what a file prints


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        about: what was compared.
        difference: what differs where; None where it is right.
        hint: what to think of.
    """

    about: str
    difference: str | None
    hint: str


@dataclass(frozen=True)
class Verdict:
    """What the judge says of a file.

    Attributes:
        exercise: its name.
        findings: one per check, in order.
        error: why the file could not be checked at all; None where it could.
        printed: what the file printed.
    """

    exercise: str
    findings: list[Finding] = field(default_factory=list)
    error: str | None = None
    printed: str = ""

    @property
    def is_right(self) -> bool:
        """Whether every check found the file right."""
        return self.error is None and all(one.difference is None for one in self.findings)


def judge_file(path: Path, exercise: Exercise, seconds: float | None = None) -> Verdict:
    """Judge a file in a child process.

    Args:
        seconds: how long it may take; by default what the exercise allows.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}. Start with: vectable lab exercise {exercise.name} --start")
    limit = exercise.seconds if seconds is None else seconds
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "verdict.json"
        command = [sys.executable, "-m", __name__, exercise.name, str(path.resolve()), str(out)]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return Verdict(exercise.name, error=f"It did not end within {limit:g} seconds. Is there an endless loop?")
        if not out.is_file():
            last = done.stderr.strip().rpartition("\n")[2]
            return Verdict(exercise.name, error=f"It ended the program that runs it: {last or done.returncode}.")
        form = json.loads(out.read_text(encoding="utf-8"))
    return Verdict(**form | {"findings": [Finding(**one) for one in form["findings"]]})


def judge_text(text: str, exercise: Exercise, where: str) -> Verdict:
    """Judge the text of a file in this process.

    Args:
        where: the file's name, for errors.
    """
    printed = StringIO()
    with redirect_stdout(printed):
        try:
            answer = names_in(text, where)
        except Exception as problem:  # whatever a learner's file may raise
            return Verdict(exercise.name, error=_sentence(problem, where), printed=printed.getvalue()[:MOST_PRINTED])
        solution = names_in(exercise.solution, "solution")
        mistakes = [(one.says, names_in(exercise.mistaken(one), "mistake")) for one in exercise.mistakes]
        findings = [_finding(check, answer, solution, mistakes, where) for check in exercise.checks]
    return Verdict(exercise.name, findings, printed=printed.getvalue()[:MOST_PRINTED])


def names_in(text: str, where: str) -> SimpleNamespace:
    """The names that a file defines, by running it."""
    namespace: dict[str, Any] = {"__name__": "exercise"}
    exec(compile(text, where, "exec"), namespace)
    return SimpleNamespace(**{name: value for name, value in namespace.items() if not name.startswith("__")})


def _finding(
    check: Check, answer: Any, solution: Any, mistakes: list[tuple[str, SimpleNamespace]], where: str
) -> Finding:
    wanted = check.compute(solution)
    try:
        got = check.compute(answer)
    except Exception as problem:  # whatever a learner's file may raise
        return Finding(check.about, _sentence(problem, where), check.hint)
    difference = first_difference(got, wanted, check.tolerance)
    if difference is None:
        return Finding(check.about, None, check.hint)
    for says, mistaken in mistakes:
        if _is_alike(check, mistaken, got, wanted):
            return Finding(check.about, f"{difference} {says}", check.hint)
    return Finding(check.about, difference, check.hint)


def _is_alike(check: Check, mistaken: SimpleNamespace, got: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a mistake leads to what was got, and this check tells it from the solution."""
    with np.errstate(all="ignore"):
        try:
            values = check.compute(mistaken)
        except Exception:  # a mistake may fail where the answer did not: then it is another
            return False
        apart = first_difference(values, wanted, check.tolerance) is not None
        return apart and first_difference(got, values, max(check.tolerance, 1e-9)) is None


def _sentence(problem: Exception, where: str) -> str:
    """An exception as a sentence, with the line of the learner's file."""
    if isinstance(problem, SyntaxError):
        return f"Line {problem.lineno} is not Python: {problem.msg}."
    lines = [one.lineno for one in traceback.extract_tb(problem.__traceback__) if one.filename == where]
    place = f" in line {lines[-1]}" if lines else ""
    if isinstance(problem, AttributeError) and problem.obj.__class__ is SimpleNamespace:
        return f"The file does not define {problem.name!r} any more."
    return f"{type(problem).__name__}{place}: {problem}."


def main(name: str, path: str, out: str) -> None:
    """Judge a file and write the verdict as JSON."""
    exercise = exercise_named(name)
    try:
        verdict = judge_text(code_in(Path(path)), exercise, path)
    except VectableError as problem:
        verdict = Verdict(exercise.name, error=str(problem))
    Path(out).write_text(json.dumps(asdict(verdict)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
