"""What the command line answers without importing torch, what it prints where, and what the shell completes."""

import json
import os
import subprocess
import sys

import pytest

import vectable as vt
from commands import good

LIGHT = """
import sys
from vectable.cli import run
sys.argv = ["vectable", *sys.argv[1:]]
try:
    run()
finally:
    heavy = {"torch", "numba", "sklearn", "matplotlib"} & set(sys.modules)
    assert not heavy, heavy
"""


def lightly(*args, **environment):
    """Run a command in a process of its own that fails where it imports torch."""
    command = [sys.executable, "-c", LIGHT, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env={**os.environ, **environment})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with a small trained model of the shipped films."""
    data = vt.datasets.load("movietweetings").to_data()
    learn = vt.collab_learner(data, n_factors=4, progress=False).fit_one_cycle(1, 5e-3)
    return learn.save(tmp_path_factory.mktemp("light") / "films")


def test_help_version_and_info_do_not_import_torch(model):
    assert "Embedding models" in good(lightly("--help")).stdout
    assert good(lightly("--version")).stdout == f"vectable {vt.__version__}\n"
    about = json.loads(good(lightly("info", model, "--json")).stdout)
    assert about["data"].startswith("RatingsData: ")
    assert about["errors"]["rmse"] > 0


def test_a_mistake_about_the_kind_of_model_does_not_import_torch_either(model, tmp_path):
    done = lightly("insight", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is not a saved model" in done.stderr


def test_the_list_of_data_sets_fits_a_screen_of_80_columns(inside, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = good(inside("datasets")).stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:] if line][:-1] == vt.datasets.names()


def test_what_ships_is_described_with_its_licence(inside):
    text = " ".join(good(inside("datasets", "goodbooks")).stdout.split())
    assert "Licence: CC BY-SA 4.0" in text
    assert "Source: Zygmunt" in text


# ---------------------------------------------------------------- help


def test_options_are_grouped(inside):
    text = good(inside("train", "ratings", "--help")).stdout
    headings = ["Columns", "Reading the file", "Rows", "With --method gradient", "With --method bayes"]
    places = [text.index(f" {heading} ") for heading in headings]
    assert places == sorted(places)
    assert places[3] < text.index("--epochs") < places[4] < text.index("--draws")


def test_old_names_of_options_are_not_in_the_help(inside):
    assert "--optimism" not in good(inside("recommend", "--help")).stdout
    assert "--target-kind" not in good(inside("train", "table", "--help")).stdout


# ---------------------------------------------------------------- completion


def completed(line, shell="bash", folder=None):
    """What the shell is offered after `line`."""
    words = line.split(" ")
    asked = {
        "_VECTABLE_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
    }
    command = [sys.executable, "-m", "vectable"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **asked}, cwd=folder)
    assert "Traceback" not in done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_shown(shell):
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "vectable", "--show-completion", shell]
    done = good(subprocess.run(command, capture_output=True, text=True, env=environment))
    assert "_VECTABLE_COMPLETE" in done.stdout
    assert "vectable" in done.stdout


def test_commands_and_options_are_completed():
    assert completed("vectable rec") == ["recommend"]
    assert {"ratings", "table", "images"} <= set(completed("vectable train "))
    assert completed("vectable train ratings x.csv --likel") == ["--likelihood"]
    assert completed("vectable train ratings x.csv --method b") == ["bayes"]


def test_models_files_and_data_sets_are_completed(model):
    folder = model.parent
    (folder / "other").mkdir(exist_ok=True)
    (folder / "fine.csv").touch()
    assert completed("vectable info fi", folder=folder) == ["films"]
    assert completed("vectable info ", folder=folder) == ["films", "other/"]
    assert completed("vectable info nowhere/", folder=folder) == []
    assert completed("vectable train ratings go", folder=folder) == ["goodbooks"]
    assert set(completed("vectable train table f", folder=folder)) >= {"flights", "fine.csv", "films/"}


# ---------------------------------------------------------------- progress


@pytest.mark.slow
def test_progress_in_a_pipe_is_a_line_per_epoch_without_control_characters(tmp_path):
    (tmp_path / "few.csv").write_text("user,item,rating\n" + "".join(f"{at % 7},{at},{at % 5}\n" for at in range(90)))
    command = [sys.executable, "-m", "vectable", "train", "ratings", "few.csv", "--epochs", "2"]
    for more in ({}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}):
        done = good(subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **more}))
        assert not [one for one in done.stdout + done.stderr if ord(one) < 32 and one != "\n"]
        assert [line.split()[0] for line in done.stderr.splitlines() if line.startswith("  ")] == ["epoch", "0", "1"]
