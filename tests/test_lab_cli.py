"""`vectable lab`: the commands as a user runs them, what they write, and what they refuse."""

import gzip
import json
import os
import struct
import subprocess
import sys

import numpy as np
import openpyxl
import polars as pl
import pytest
from PIL import Image

import vectable as vt
from vectable import lab
from vectable.errors import DataError, VectableError
from vectable.lab.digits import RUNS, compare_on_digits
from vectable.lab.idx import read_idx, read_mnist
from vectable.lab.pictures import animate_descents, draw_descents, draw_losses
from vectable.lab.surface import surface, surface_map


@pytest.fixture
def inside(capsys, monkeypatch):
    """The command's entry in this process: (exit code, output, errors)."""
    monkeypatch.delenv("VECTABLE_DATA", raising=False)

    def run(*args):
        from vectable.cli import run

        code = 0
        monkeypatch.setattr(sys, "argv", ["vectable", "lab", *map(str, args)])
        try:
            run()
        except SystemExit as ended:
            code = ended.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def refused(inside):
    """Run what is a mistake; the one sentence that is told."""

    def run(*args):
        code, out, err = inside(*args)
        said = [line for line in err.splitlines() if not line.startswith("note: ")]
        assert (code, out, len(said)) == (1, "", 1), (out, err)
        assert said[0].startswith("vectable: ")
        assert said[0].endswith((".", "?"))
        return said[0]

    return run


@pytest.fixture
def ratings_file(tmp_path):
    """A small file of ratings by people with names, of things with titles."""
    rng = np.random.default_rng(0)
    n = 600
    frame = pl.DataFrame(
        {
            "who": [f"Zoë {at}" for at in rng.integers(0, 30, n)],
            "what": rng.integers(100, 125, n),
            "stars": rng.integers(1, 11, n) / 2,
        }
    ).unique(["who", "what"], maintain_order=True)
    frame = frame.with_columns(name=pl.format("Thing *{}?", "what"))
    frame.write_csv(tmp_path / "ratings.csv")
    return tmp_path / "ratings.csv"


# ---------------------------------------------------------------- workbooks


@pytest.mark.parametrize("name", ["graddesc", "entropy"])
def test_workbooks_from_the_command_line(inside, tmp_path, name):
    target = tmp_path / f"{name}.xlsx"
    assert inside("workbook", name, "-o", target) == (0, f"{target}\n", "")
    assert openpyxl.load_workbook(target).sheetnames[0] == "start here"


@pytest.mark.slow
def test_the_collab_workbook_is_of_the_shipped_ratings_unless_told(inside, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = inside("workbook", "collab")
    assert (code, out) == (0, "collab.xlsx\n")
    front = openpyxl.load_workbook("collab.xlsx", data_only=True)["start here"]
    assert "shipped goodbooks" in front["A3"].value
    errors = [front.cell(row, 2).value for row in range(1, 30) if front.cell(row, 1).value in ("dot product", "bias")]
    assert 0 < errors[1] < errors[0] < 0.6


@pytest.mark.slow
def test_the_lessons_own_ratings(inside, tmp_path, data_dir):
    if not (data_dir / "lesson_xl").is_dir():
        pytest.skip("needs the lesson's workbooks")
    target = tmp_path / "lesson.xlsx"
    assert inside("workbook", "collab", "--lesson", "--data", data_dir, "-o", target)[0] == 0
    front = openpyxl.load_workbook(target, data_only=True)["start here"]
    errors = {front.cell(row, 1).value: front.cell(row, 2).value for row in range(5, 20)}
    assert front["A2"].value.startswith("206 ratings by 15 users of 15 items")
    assert errors["dot product"] <= 0.3931
    assert errors["bias"] <= 0.3195


@pytest.mark.slow
def test_my_ratings_and_a_trained_model(inside, ratings_file, tmp_path):
    """The sheets hold the model's factors: their predictions are the model's, and equal in the first four forms."""
    target = tmp_path / "mine.xlsx"
    columns = ["--user", "who", "--item", "what", "--rating", "stars", "--title", "name"]
    code, _, _ = inside("workbook", "mine", "--ratings", ratings_file, *columns, "--factors", 3, "-o", target)
    assert code == 0
    book = openpyxl.load_workbook(target, data_only=True)
    front = book["start here"]
    errors = {front.cell(row, 1).value: front.cell(row, 2).value for row in range(5, 25)}
    for form in ("one-hot", "embedding", "bias"):
        assert errors[form] == pytest.approx(errors["dot product"], rel=1e-6)

    data = vt.RatingsData.from_file(ratings_file, user="who", item="what", rating="stars", title="name", valid_pct=0)
    learn = vt.collab_learner(data, 3, y_range=None, progress=False).fit_one_cycle(10, 5e-3)
    listed = book["embedding"]
    users = {row[0].value: row[0].row for row in book["bias"].iter_rows(max_col=1) if row[0].value}
    assert "bias" in users
    heads = next(row for row in listed.iter_rows() if row[0].value == "index")
    place = {one.value: one.column for one in heads[8:] if one.value}
    names = [one.value for row in book["bias"].iter_rows() for one in row if str(one.value).startswith("Zoë")]
    row = heads[0].row + 1
    item, predicted = listed.cell(row, place["item"]).value, listed.cell(row, place["prediction"]).value
    user = names[listed.cell(row, place["user"]).value - 1]
    pair = pl.DataFrame({"who": [user], "what": [item]})
    assert learn.predict(pair, raw=True)[0] == pytest.approx(predicted, abs=1e-4)


def test_workbook_mistakes(refused, tmp_path, ratings_file):
    assert "Did you mean 'graddesc'?" in refused("workbook", "graddes")
    assert "name them with --ratings" in refused("workbook", "mine")
    assert "--lesson is for the workbook 'collab'" in refused("workbook", "entropy", "--lesson")
    assert "not both" in refused("workbook", "collab", "--lesson", "--ratings", "goodbooks")
    assert "No data directory is known" in refused("workbook", "collab", "--lesson")
    assert "has no folder 'lesson_xl'" in refused("workbook", "collab", "--lesson", "--data", tmp_path)
    assert "no folder" in refused("workbook", "entropy", "-o", tmp_path / "none" / "x.xlsx")
    assert ".xlsx" in refused("workbook", "entropy", "-o", tmp_path / "x.csv")
    assert "epochs must be a positive integer; got 0" in refused(
        "workbook", "graddesc", "--epochs", 0, "-o", tmp_path / "x.xlsx"
    )
    assert "must be a positive integer" in refused("workbook", "collab", "--factors", 0, "-o", tmp_path / "x.xlsx")
    empty = tmp_path / "empty.csv"
    empty.write_text("user,item,rating\n")
    for name in ("collab", "mine"):
        assert "at least one rating" in refused("workbook", name, "--ratings", empty, "-o", tmp_path / "x.xlsx")
    assert not (tmp_path / "x.xlsx").exists()


# ---------------------------------------------------------------- descent


def test_descend_shows_the_map_the_epochs_and_a_verdict(inside):
    code, out, err = inside("descend", "--optimizer", "sgd,adam", "--lr", ".001,.1", "--epochs", 3)
    assert (code, err) == (0, "")
    assert "A  sgd at 0.001 diverges: by step 18" in out
    assert "B  adam at 0.1 gets down: error 76.1 -> 13.9 in 3 epochs" in out
    assert "    3      4.472  2.429  13.900" in out
    shown = "\n".join(line for line in out.splitlines() if " |" in line)
    assert {"S", "O", "B"} <= set(shown)


def test_descend_as_json_is_what_the_lab_says(inside):
    code, out, _ = inside("descend", "--optimizer", "adam", "--lr", ".1", "--epochs", 2, "--json")
    (one,) = json.loads(out)
    way = lab.descend("adam", 0.1, 2)
    assert code == 0
    assert one["slope"] == [float(way.slopes[at]) for at in (0, 29, 58)]
    assert one["error"] == way.errors.tolist()
    assert one["said"] == way.in_words()
    assert one["diverged_at_step"] is None


@pytest.mark.slow
def test_descend_draws_still_and_moving_pictures(inside, tmp_path):
    still, moving = tmp_path / "way.png", tmp_path / "way.gif"
    code, _, err = inside("descend", "--optimizer", "sgd", "--epochs", 1, "-o", still, "-o", moving)
    assert (code, err) == (0, f"Drew {still}.\nDrew {moving}.\n")
    with Image.open(still) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
    with Image.open(moving) as picture:
        assert (picture.format, picture.is_animated) == ("GIF", True)
        assert picture.n_frames >= 30


def test_descend_mistakes(refused, tmp_path):
    assert "Did you mean 'momentum' or" in refused("descend", "--optimizer", "momentun")
    assert "--lr is 'x'" in refused("descend", "--lr", "x")
    assert "learning rate must be a positive number; got -1.0" in refused("descend", "--lr", "-1")
    assert "4 optimizers and 2 rates" in refused("descend", "--lr", "1,2")
    assert "epochs must be a positive integer; got 0" in refused("descend", "--epochs", 0)
    assert "two numbers" in refused("descend", "--start", "3")
    assert "has to end in" in refused("descend", "-o", tmp_path / "x.bmp")
    assert "no folder" in refused("descend", "-o", tmp_path / "none" / "x.png")
    assert "leave --optimizer and --lr out" in refused("descend", "--digits", "--lr", "1")
    assert "nothing that moves" in refused("descend", "--digits", "-o", tmp_path / "x.gif")
    assert "has no folder 'mnist'" in refused("descend", "--digits", "--data", tmp_path)


def test_digits_without_mnist_say_so(inside, tmp_path):
    picture = tmp_path / "losses.png"
    code, out, err = inside("descend", "--digits", "-o", picture)
    assert code == 0
    assert "no MNIST here" in err
    assert out.startswith("scikit-learn's digits: one epoch")
    assert all(name in out for name in RUNS)
    with Image.open(picture) as drawn:
        assert drawn.format == "PNG"


def test_surface_and_pictures_of_what_diverges(tmp_path):
    ways = [lab.descend("sgd", 1e-2), lab.descend("adam", 0.3)]
    assert surface(np.array([30.0]), np.array([2.0])) == pytest.approx(0)
    assert surface(np.array([1.0]), np.array([1.0]))[0, 0] == pytest.approx(ways[0].errors[0])
    lines = surface_map(ways, width=40, height=10)
    assert len(lines) == 12
    assert all(len(line) == 48 for line in lines[:11])
    draw_descents(ways, tmp_path / "x.svg")
    animate_descents(ways[:1], tmp_path / "x.gif", frames=3)
    draw_losses({"falling": np.array([2.0, 1.0, np.nan])}, tmp_path / "y.pdf")
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("x.svg", "x.gif", "y.pdf"))


# ---------------------------------------------------------------- digits


def test_all_runs_start_alike_and_a_new_adam_every_step_is_worse():
    rng = np.random.default_rng(0)
    centres = rng.random((4, 30))
    y = rng.integers(0, 4, 6000)
    x = np.clip(centres[y] + rng.normal(0, 0.3, (6000, 30)), 0, 1)
    runs = {run.name: run for run in compare_on_digits(x[:5000], y[:5000], x[5000:], y[5000:], hidden=20)}
    assert list(runs) == list(RUNS)
    assert len({run.losses[0] for run in runs.values()}) == 1
    assert runs["new Adam every step, 2e-2"].last > runs["Adam 2e-2"].last
    assert runs["momentum 0.9, 2e-2"].last < runs["SGD 2e-2"].last
    assert all(len(run.losses) == 79 for run in runs.values())
    logistic = compare_on_digits(x[:500], y[:500], x[500:600], y[500:600], hidden=None)
    assert len(logistic) == len(RUNS)


def idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def test_idx_files_are_read_and_damage_is_told(tmp_path):
    numbers = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "plain").write_bytes(idx(numbers))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(idx(numbers)))
    for name in ("plain", "packed.gz"):
        np.testing.assert_array_equal(read_idx(tmp_path / name), numbers)
    for content, said in [
        (b"", "not an idx file"),
        (b"\0\0\x0d\x01\0\0\0\x01x", "not an idx file"),
        (idx(numbers)[:-1], "damaged: 23 numbers"),
        (idx(numbers)[:6], "damaged"),
        (idx(numbers) + b"x", "damaged: more numbers"),
        (b"\0\0\x08\x03" + b"\xff" * 12 + b"x", r"says that it holds 79,228,\d+.* is the most"),
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"x", "255 dimensions"),
    ]:
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(DataError, match=said):
            read_idx(tmp_path / "bad")
    whole = gzip.compress(idx(numbers))
    for content in (b"\x1f\x8b\0\0nonsense", whole[:-12], whole[:12] + b"\xff" * 12 + whole[24:]):
        (tmp_path / "bad.gz").write_bytes(content)
        with pytest.raises(DataError, match=r"cannot be read|not an idx file"):
            read_idx(tmp_path / "bad.gz")
    for name in ("images-idx3", "labels-idx1"):
        (tmp_path / f"train-{name}-ubyte.gz").write_bytes(whole)
    with pytest.raises(DataError, match=r"are not MNIST's: \(2, 3, 4\) where \(60000, 28, 28\) belongs"):
        read_mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(DataError, match="There is no file"):
        read_mnist(tmp_path)


def test_mnist_is_the_lessons_split(data_dir):
    if not (data_dir / "mnist").is_dir():
        pytest.skip("needs MNIST")
    x, y, x_valid, y_valid = read_mnist(data_dir / "mnist")
    assert (x.shape, x_valid.shape, x.max()) == ((50000, 784), (10000, 784), 255 / 256)
    assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert len(y_valid) == 10000


# ---------------------------------------------------------------- the door


def test_commands_explain_themselves(inside):
    for command in ("workbook", "descend"):
        code, out, err = inside(command, "--help")
        assert (code, err) == (0, "")
        assert f"Example: vectable lab {command}" in " ".join(out.split())
        assert command in inside("--help")[1]


def test_playing_with_descent_needs_no_torch():
    code = (
        "import sys; from vectable.cli import run; sys.argv = ['vectable', 'lab', 'descend', '--epochs', '1']\n"
        "try: run()\nfinally: assert 'torch' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_rate_for_the_wrong_optimizer_is_refused_in_python_too():
    with pytest.raises(VectableError):
        lab.descend("sgd", float("nan"))
