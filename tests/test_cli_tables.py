"""The commands about tables, as processes of their own where that matters: train, predict, insight, info, lr-find."""

import json

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good, vectable

PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a table of people as CSV, Parquet and without a header; judges of some age are rich."""
    rng = np.random.default_rng(0)
    n = 600
    job, age = rng.choice(["Köchin", "judge", "miner", "[bold]"], n), rng.integers(18, 80, n)
    heights = rng.normal(170, 8, n).round(1).tolist()
    frame = pl.DataFrame(
        {
            "job": job,
            "age": age,
            "height": [None if hole else tall for hole, tall in zip(rng.random(n) < 0.1, heights, strict=True)],
            "since": [f"20{at % 20:02}-0{at % 9 + 1}-11" for at in rng.integers(0, 99, n)],
            "salary": np.where((job == "judge") & (age > 40), "high", "low"),
            "tax": (age * 100 + (job == "judge") * 5000 + rng.normal(0, 50, n)).round(2),
        }
    )
    folder = tmp_path_factory.mktemp("tables")
    frame.write_csv(folder / "people.csv")
    frame.write_parquet(folder / "people.parquet")
    frame.write_csv(folder / "bare.csv", include_header=False)
    frame.drop("salary", "tax").head(7).write_csv(folder / "new.csv")
    return folder


QUICK = ["--layers", "16", "--epochs", 4, "--lr", 1e-2, "-q"]


@pytest.fixture(scope="module")
def trained(work):
    """What `train table` answered, and the model that the questions go to."""
    args = [
        "train",
        "table",
        work / "people.csv",
        "--target",
        "salary",
        "--dates",
        "since",
        "--without",
        "tax",
        *QUICK,
        "--json",
    ]
    done = good(vectable(*args, "--epochs", 20, "-o", work / "model"))
    return json.loads(done.stdout), work / "model"


@pytest.fixture
def model(trained):
    return trained[1]


# ---------------------------------------------------------------- training


def test_training_tells_errors_beside_the_simplest_guess(trained):
    (errors,) = trained[0]["errors"]
    assert errors["target"] == "salary"
    assert errors["accuracy"] > 0.9 > errors["accuracy of the commonest class"]
    guesses = {"accuracy of the commonest class", "log-loss of the shares"}
    assert set(errors) == {"target", "accuracy", "roc_auc", "log-loss", *guesses}
    assert trained[0]["beats_baselines"] is True
    learn = vt.load_learner(trained[1])
    assert learn.data.kinds["since"].kind == "date"
    assert len(learn.data.valid_rows) == 120


def test_numbers_are_measured_in_their_own_units(inside, work, tmp_path):
    more = [
        "--conts",
        "age",
        "--bins",
        "none",
        "--log-target",
        "--n-models",
        2,
        "--y-range",
        "500,30000",
        "--epochs",
        40,
    ]
    done = inside("train", "table", work / "people.parquet", "-t", "tax", *QUICK, *more, "-o", tmp_path, "--json")
    (errors,) = json.loads(good(done).stdout)["errors"]
    assert errors["mae"] < errors["rmse"] < errors["rmse of the mean alone"]
    assert 1000 < errors["rmse of the mean alone"] < 4000
    assert len(vt.load_learner(tmp_path).members) == 2


def test_several_numbers_and_a_split_by_a_column(inside, work, tmp_path):
    args = ["train", "table", work / "people.csv", "-t", "tax", "-t", "age", "--without", "salary"]
    done = good(inside(*args, "--split", "since", "--dates", "since", *QUICK, "-o", tmp_path / "m"))
    assert "rmse of the mean alone" in done.stdout
    written = good(inside("predict", tmp_path / "m", work / "new.csv")).stdout
    assert written.splitlines()[0].endswith(",prediction of tax,prediction of age")


def test_what_columns_were_taken_for_is_shown_in_a_table_and_when_quiet_in_a_line(inside, work, tmp_path):
    args = ["train", "table", work / "people.csv", "-t", "salary", "--layers", 8, "--epochs", 1, "-o", tmp_path]
    loud = good(inside(*args))
    assert "What the columns were taken for" in loud.stdout
    assert "valid_loss" in loud.stderr
    silent = good(inside(*args, "-q"))
    assert silent.stderr == (
        "Columns: categories 'job'; numbers 'age', 'height', 'tax'; dates 'since'; the target is 'salary' (classes).\n"
    )
    assert "taken for" not in silent.stdout
    assert "Saved to" in silent.stdout


def test_a_file_without_header_a_shipped_table_and_a_class_weight(inside, work, tmp_path, monkeypatch):
    names = "job,age,height,since,salary,tax"
    bare = ["train", "table", work / "bare.csv", "--no-header", "--columns", names, "-t", "salary", *QUICK]
    good(inside(*bare, "--cats", "job", "--conts", "age", "--balanced", "-o", tmp_path / "bare"))
    learn = vt.load_learner(tmp_path / "bare")
    assert list(learn.data.kinds) == ["job", "age"]
    assert learn.data.train_rows.weights is not None
    done = inside("train", "table", "adult", "--layers", 8, "--epochs", 1, "-q", "-o", tmp_path / "adult", "--json")
    (errors,) = json.loads(good(done).stdout)["errors"]
    assert errors["accuracy"] > 0.8
    assert "split" not in vt.load_learner(tmp_path / "adult").data.kinds
    monkeypatch.chdir(tmp_path)  # where a folder has the name of the data set
    good(inside("train", "table", "adult", "--layers", 8, "--epochs", 1, "-q", "--valid-pct", 0, "-o", "adult"))


def test_without_held_out_rows_nothing_is_measured(inside, refused, work, tmp_path):
    done = good(inside("train", "table", work / "people.csv", "-t", "salary", *QUICK, "--valid-pct", 0, "-o", tmp_path))
    assert "No rows were held out" in done.stdout
    assert "No rows were held out" in good(inside("info", tmp_path)).stdout
    assert "without held-out rows" in refused("insight", tmp_path)


# ---------------------------------------------------------------- asking


def test_predict_adds_the_class_and_its_probabilities(inside, model, work, tmp_path):
    done = good(vectable("predict", model, work / "new.csv", "-o", tmp_path / "out.csv"))
    assert done.stdout == ""
    assert "7 rows written" in done.stderr
    table = pl.read_csv(tmp_path / "out.csv")
    assert table.columns[-3:] == ["prediction", "probability of high", "probability of low"]
    np.testing.assert_allclose(table["probability of high"] + table["probability of low"], 1, atol=1e-6)
    learn = vt.load_learner(model)
    assert table["prediction"].to_list() == learn.predict(pl.read_csv(work / "new.csv")).tolist()
    rows = json.loads(good(inside("predict", model, work / "new.csv", "--json")).stdout)
    assert [row["prediction"] for row in rows] == table["prediction"].to_list()
    assert good(inside("predict", model, work / "new.csv")).stdout.splitlines()[0].startswith("job,age,height,since,")


def test_predicting_new_values_is_told_and_a_missing_column_refused(inside, refused, model, work, tmp_path):
    new = pl.read_csv(work / "new.csv")
    new.with_columns(job=pl.lit("pope")).write_csv(tmp_path / "new.csv")
    done = good(inside("predict", model, tmp_path / "new.csv"))
    assert "note: " in done.stderr
    assert "7 in 'job'" in done.stderr
    new.rename({"age": "aged"}).write_csv(tmp_path / "other.csv")
    said = refused("predict", model, tmp_path / "other.csv")
    assert "no column 'age'" in said
    assert "Did you mean 'aged'?" in said
    new.with_columns(prediction=1).write_csv(tmp_path / "twice.csv")
    assert "has a column 'prediction' already" in refused("predict", model, tmp_path / "twice.csv")
    assert "one file, and 2 are named" in refused("predict", model, work / "new.csv", work / "new.csv")


def test_insight_says_what_matters_and_draws_it(inside, model, tmp_path):
    done = good(inside("insight", model, "-n", 3, "--plots", tmp_path, "--json"))
    found = json.loads(done.stdout)
    assert {row["column"] for row in found["importance"][:2]} == {"job", "age"}
    assert len(found["worst"]) == 3
    assert found["worst"][0]["loss"] >= found["worst"][2]["loss"]
    assert sum(row["high"] + row["low"] for row in found["confusion"]) == 120
    assert sum(row["rows"] for row in found["calibration"]) == 120
    names = {"learning_rate.png", "losses.png", "importance.png", "confusion.png", "calibration.png"}
    names |= {"map_job.png"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert all(path.read_bytes().startswith(PNG) for path in tmp_path.iterdir())
    text = good(inside("insight", model, "-n", 120)).stdout
    for part in ("Importance", "Rows: the class", "came true", "largest losses", "[bold]"):
        assert part in text


def test_info_says_what_the_model_is(inside, model):
    text = good(inside("info", model)).stdout
    said = ("TabularModel x 4", "480 training and 120 validation rows", "since", "date", "accuracy", vt.__version__)
    for part in said:
        assert part in text
    about = json.loads(good(inside("info", model, "--json")).stdout)
    assert about["kind"] == "table"
    assert about["errors"][0]["accuracy"] > 0.9
    assert "accuracy of the commonest class" in about["errors"][0]
    assert about["data"].startswith("TableData: ")
    assert json.loads(good(inside("info", model, "--validate", "--json")).stdout)["errors"] == about["errors"]


def test_lr_find_for_a_table(inside, refused, work, tmp_path):
    args = ["lr-find", work / "people.csv", "--target", "salary", "--layers", 16, "--batch-size", 32]
    rates = json.loads(good(inside(*args, "--plot", tmp_path / "lr.png", "--json")).stdout)
    assert 1e-7 < rates["valley"] < 10
    assert (tmp_path / "lr.png").read_bytes().startswith(PNG)


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ([], "Name the column to predict with --target COLUMN"),
        (["--target", "salry"], "no column 'salry'. Did you mean 'salary'?"),
        (["--target", "salary", "--cats", "jobs"], "no column 'jobs'. Did you mean 'job'?"),
        (["--target", "salary", "--without", "taxes"], "no column 'taxes'. Did you mean 'tax'?"),
        (["--target", "salary", "--conts", "job"], "'job' is named among the numbers, and row 1 holds"),
        (["--target", "salary", "--dates", "job"], "cannot be read"),
        (["--target", "salary", "--layers", "big"], "--layers is 'big'"),
        (["--target", "salary", "--bins", "many"], "--bins must be tree, quantile or none; got 'many'."),
        (["--target", "salary", "--valid-pct", "2"], "got 2.0"),
        (["--target", "salary", "--target-kind", "ranks"], "got 'ranks'"),
        (["--target", "height"], "is missing; "),
        (["--target", "salary", "--y-range", "0,1"], "y_range bounds numbers"),
        (["--target", "salary", "--n-models", "0"], "n_models must be a positive integer; got 0"),
        (["--target", "salary", "--epochs", "0"], "number of epochs must be a positive integer; got 0"),
    ],
)
def test_a_mistake_is_one_sentence(refused, work, tmp_path, args, sentence):
    assert sentence in refused("train", "table", work / "people.csv", *args, "-q", "-o", tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_sets_of_the_other_kind_are_told_apart(refused, model, tmp_path):
    assert "vectable train ratings goodbooks" in refused("train", "table", "goodbooks", "-t", "rating", "-o", tmp_path)
    assert "vectable train table adult" in refused("train", "ratings", "adult", "-o", tmp_path)
    assert "Did you mean 'adult'?" in refused("train", "table", "adlt", "-t", "salary", "-o", tmp_path)
    assert "is not a model of ratings" in refused("recommend", model, "1")


def test_a_mistake_in_a_process_shows_no_traceback(work, tmp_path):
    done = vectable("train", "table", work / "people.csv", "--target", "nothing", "-o", tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "There is no column" in done.stderr or "no column 'nothing'" in done.stderr
