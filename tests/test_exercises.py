"""Exercises: every solution is right, every start is told what is missing, and known mistakes are known again."""

import json

import numpy as np
import pytest
import torch

import vectable as vt
from vectable import lab
from vectable.lab.exercises.catalogue import EXERCISES, exercise_named
from vectable.lab.exercises.differences import first_difference
from vectable.lab.exercises.exercise import GAP
from vectable.lab.exercises.judge import judge_file, judge_text, names_in
from vectable.lab.exercises.line_points import walk
from vectable.lab.exercises.progress import note_progress, progress_file, read_progress

SLOW = {"dot-bias"}
ALL = [pytest.param(one, id=one.name, marks=[pytest.mark.slow] * (one.name in SLOW)) for one in EXERCISES.values()]
WRONG = [
    pytest.param(one, mistake, id=f"{one.name}: {mistake.says}", marks=[pytest.mark.slow] * (one.name in SLOW))
    for one in EXERCISES.values()
    for mistake in one.mistakes
]


def solved(name):
    """The names that a solution defines."""
    return names_in(EXERCISES[name].solution, "solution.py")


# ---------------------------------------------------------------- the contract of an exercise


def test_there_are_at_least_twelve():
    assert len(EXERCISES) >= 12


@pytest.mark.parametrize("exercise", ALL)
def test_the_solution_passes(exercise):
    verdict = judge_text(exercise.solution, exercise, "solution.py")
    assert verdict.error is None
    assert [one.difference for one in verdict.findings] == [None] * len(exercise.checks)
    assert verdict.is_right


@pytest.mark.parametrize("exercise", ALL)
def test_the_start_has_a_hole_runs_and_does_not_pass(exercise):
    assert GAP in exercise.start
    assert "#!" not in exercise.start + exercise.solution
    verdict = judge_text(exercise.start, exercise, "start.py")
    assert verdict.error is None, "it should run as it is"
    assert not verdict.is_right
    for finding in verdict.findings:
        assert finding.difference is None or finding.difference.endswith((".", "?"))


@pytest.mark.parametrize(("exercise", "mistake"), WRONG)
def test_a_known_mistake_is_named(exercise, mistake):
    verdict = judge_text(exercise.mistaken(mistake), exercise, "mistake.py")
    said = [one.difference for one in verdict.findings if one.difference is not None]
    assert any(mistake.says in one for one in said), said


@pytest.mark.parametrize("exercise", ALL)
def test_mistakes_are_told_apart_and_hints_do_not_give_the_answer(exercise):
    assert len({one.says for one in exercise.mistakes}) == len(exercise.mistakes) >= 3
    answers = [line.strip() for line in exercise.solution.splitlines() if line not in exercise.start.splitlines()]
    for check in exercise.checks:
        assert check.hint.endswith((".", "?"))
        assert not any(answer in check.hint for answer in answers)


# ---------------------------------------------------------------- the solutions are right


def test_solutions_equal_the_lab():
    x, weight, bias = np.ones((2, 3)), np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0])
    assert np.array_equal(solved("affine").affine(x, weight, bias), lab.affine(x, weight, bias))
    rows = np.array([[1.0, -2.0, 3.0], [900.0, 0.0, 1.0]])
    assert np.allclose(solved("softmax").softmax(rows), lab.softmax(rows))
    assert solved("cross-entropy").cross_entropy(rows, np.array([2, 0])) == pytest.approx(
        torch.nn.functional.cross_entropy(torch.tensor(rows), torch.tensor([2, 0])).item()
    )
    values = np.sin(np.arange(30.0))
    assert np.allclose(solved("averages").smoothed(values, 0.9), lab.ewma(values, 0.9, debias=True))
    steps = 20
    rates = [solved("one-cycle").learning_rate(i / steps, 0.01) for i in range(steps)]
    assert np.allclose(rates, lab.one_cycle(0.01, steps))
    assert np.allclose([solved("one-cycle").momentum(i / steps) for i in range(steps)], lab.one_cycle_momentum(steps))


class FromTheLab:
    """An optimizer of the lab for one number."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def step(self, parameter, gradient):
        value = np.array([parameter])
        self.optimizer.step([value], [np.array([gradient])])
        return float(value[0])


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("momentum", lambda given: given.Momentum(1e-4), lambda: lab.DampedMomentum(1e-4)),
        ("rmsprop", lambda given: given.RMSProp(0.1), lambda: lab.WorkbookRMSProp(0.1, start=100.0)),
        ("adam", lambda given: given.Adam(0.1), lambda: lab.Adam(0.1)),
    ],
)
def test_optimizers_walk_as_those_of_the_lab_do(name, ours, theirs):
    given = solved(name)
    assert np.allclose(walk(lambda: ours(given), 29), walk(lambda: FromTheLab(theirs()), 29), rtol=1e-12, atol=0)


def test_adam_equals_torch():
    parameter = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    theirs, ours, at = torch.optim.Adam([parameter], lr=0.1), solved("adam").Adam(0.1), 1.0
    for gradient in (3.0, -1.0, 0.5, 100.0):
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        theirs.step()
        at = ours.step(at, gradient)
        assert at == pytest.approx(parameter.item(), rel=1e-12)


def test_backward_equals_autograd():
    rng = np.random.default_rng(9)
    arrays = [rng.normal(size=size) for size in ((4, 3), (4, 2), (3, 5), (5,), (5, 2), (2,))]
    x, y, w1, b1, w2, b2 = (torch.tensor(one, requires_grad=True) for one in arrays)
    ((((x @ w1 + b1).relu() @ w2 + b2) - y) ** 2).mean().backward()
    for ours, theirs in zip(solved("backward").gradients(*arrays), (w1, b1, w2, b2), strict=True):
        assert np.allclose(ours, theirs.grad.numpy())


# ---------------------------------------------------------------- the judge


def test_a_difference_says_where_and_how_much():
    wanted = {"found": np.array([[1.0, 2.0], [3.0, 4.0]])}
    assert first_difference({"found": np.array([[1.0, 2.0], [3.5, 4.0]])}, wanted, 1e-9) == (
        "found[1, 0] is 3.5 and should be 3."
    )
    assert first_difference({"found": np.ones(3)}, wanted, 1e-9) == "found has the shape (3,) and should have (2, 2)."
    assert first_difference({"found": None}, wanted, 1e-9) == "found is None: the gap is not filled in yet."
    assert first_difference({"found": "x"}, wanted, 1e-9) == "found is a str and should hold numbers."
    assert "is nan and should be 2" in first_difference({"found": [[1.0, np.nan], [3.0, 4.0]]}, wanted, 1e-9)
    assert first_difference({"found": [[1, 2], [3, 4]]}, wanted, 1e-9) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def affine(x, weight, bias):\n    return x @ @ weight\n", "Line 2 is not Python: "),
        ("1 / 0\n", "ZeroDivisionError in line 1: division by zero."),
        ("x = 1\n", "The file does not define 'affine' any more."),
        (
            "def affine(x, weight, bias):\n    return x + weight\n",
            "ValueError in line 2: operands could not",
        ),
    ],
)
def test_a_file_that_does_not_run_gets_a_sentence_with_its_line(text, says):
    verdict = judge_text(text, exercise_named("affine"), "mine.py")
    assert not verdict.is_right
    assert (verdict.error or verdict.findings[0].difference).startswith(says)


def test_a_file_is_judged_in_a_process_of_its_own(tmp_path):
    file = tmp_path / "affine.py"
    file.write_text(exercise_named("affine").solution + "\nprint('hello')\n")
    verdict = judge_file(file, exercise_named("affine"))
    assert verdict.is_right
    assert verdict.printed == "hello\n"
    file.write_text("import os\nos._exit(3)\n")
    assert "ended the program" in judge_file(file, exercise_named("affine")).error
    with pytest.raises(vt.DataError, match="Start with: vectable lab exercise affine --start"):
        judge_file(tmp_path / "gone.py", exercise_named("affine"))


def test_an_endless_loop_is_ended(tmp_path):
    file = tmp_path / "affine.py"
    file.write_text("while True:\n    pass\n")
    assert "did not end within 2 seconds" in judge_file(file, exercise_named("affine"), seconds=2).error


def test_an_unknown_exercise_gets_the_close_names():
    with pytest.raises(vt.UnknownNameError, match="Did you mean 'momentum'"):
        exercise_named("momentun")


# ---------------------------------------------------------------- progress


def test_progress_is_kept_and_what_was_solved_stays_solved(tmp_path, monkeypatch):
    monkeypatch.setenv("VECTABLE_PROGRESS", str(tmp_path / "deep" / "progress.json"))
    assert read_progress() == {}
    note_progress("affine", solved=False)
    assert read_progress() == {"affine": "tried"}
    note_progress("affine", solved=True)
    note_progress("affine", solved=False)
    note_progress("relu", solved=False)
    assert read_progress() == {"affine": "solved", "relu": "tried"}
    assert json.loads(progress_file().read_text()) == read_progress()
    progress_file().write_text("[damaged")
    assert read_progress() == {}
    assert [one.name for one in progress_file().parent.iterdir()] == ["progress.json"]


# ---------------------------------------------------------------- the commands


@pytest.fixture
def inside(tmp_path, monkeypatch):
    """Run the command in this process, in an empty folder with a progress of its own."""
    from typer.testing import CliRunner

    from vectable.cli.app import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VECTABLE_PROGRESS", str(tmp_path / "progress.json"))
    return lambda *args: CliRunner().invoke(app, ["lab", *map(str, args)])


def test_start_check_and_list(inside, tmp_path):
    assert inside("exercise", "momentum", "--start").exit_code == 0
    file = tmp_path / "momentum.py"
    assert file.read_text() == EXERCISES["momentum"].start
    done = inside("check", "momentum.py")
    assert done.exit_code == 1
    assert "wrong: the first step" in done.stdout
    assert "Hint: The average starts at 0" in done.stdout
    assert "self.average = self.mom" not in done.stdout, "the answer is not given"
    assert "tried" in inside("exercise").stdout
    file.write_text(EXERCISES["momentum"].mistaken(EXERCISES["momentum"].mistakes[0]))
    assert "This is the sum of gradients that torch keeps" in inside("check", "momentum.py").stdout
    file.write_text(EXERCISES["momentum"].solution)
    done = inside("check", "momentum.py")
    assert done.exit_code == 0
    assert done.stdout.count("right: ") == 2
    assert f"1 of {len(EXERCISES)} solved" in inside("exercise").stdout


def test_a_start_replaces_no_file_and_the_solution_is_shown_when_asked_for(inside, tmp_path):
    (tmp_path / "relu.py").write_text("mine")
    done = inside("exercise", "relu", "--start")
    assert done.exit_code == 1
    assert "is there already; name another file" in str(done.exception)
    assert (tmp_path / "relu.py").read_text() == "mine"
    assert inside("exercise", "relu", "--start", "-o", "other.py").exit_code == 0
    assert inside("exercise", "relu", "--solution").stdout == EXERCISES["relu"].solution
    shown = inside("exercise", "relu").stdout
    assert "max(x, 0)" in shown
    assert "np.where" not in shown
    assert "Did you mean 'softmax'" in str(inside("exercise", "sofmax").exception)


def test_json(inside, tmp_path):
    (tmp_path / "mine.py").write_text(EXERCISES["affine"].start)
    about = json.loads(inside("check", "mine.py", "--exercise", "affine", "--json").stdout)
    assert not about["is_right"]
    assert [one["difference"] is None for one in about["findings"]] == [False, False]
    assert [row["name"] for row in json.loads(inside("exercise", "--json").stdout)] == list(EXERCISES)


def test_a_notebook_has_the_same_gap_and_is_judged_by_its_code(inside, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="needs the extra 'lab'")
    assert inside("exercise", "affine", "--notebook").exit_code == 0
    file = tmp_path / "affine.ipynb"
    book = nbformat.read(str(file), as_version=4)
    nbformat.validate(book)
    assert [cell.cell_type for cell in book.cells] == ["markdown", "code", "markdown", "code"]
    assert GAP in book.cells[1].source
    assert "wrong: two inputs" in inside("check", "affine.ipynb").stdout
    book.cells[1].source = book.cells[1].source.replace(GAP, "return x @ weight + bias")
    nbformat.write(book, str(file))
    done = inside("check", "affine.ipynb")
    assert done.exit_code == 0, done.stdout
    file.write_text("{}")
    assert "is not a notebook" in inside("check", "affine.ipynb").stdout
    assert inside("exercise", "affine", "--notebook", "--start").exit_code == 1
