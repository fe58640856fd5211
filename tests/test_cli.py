"""The commands, as processes of their own where that matters: what they print where, write, refuse, and exit with."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good, sentence, vectable

COMMANDS = [
    "demo", "train ratings", "train table", "train images", "lr-find", "recommend", "similar", "explain", "insight",
    "predict", "info", "export-vectors", "export", "slim", "update", "evaluate", "datasets",
    "encode", "plan", "lab workbook", "lab descend", "lab lesson",
]  # fmt: skip
PNG = b"\x89PNG\r\n"


# ---------------------------------------------------------------- files and one trained model


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 3000
    users, items = rng.integers(1, 101, n), rng.integers(1, 61, n)
    taste = rng.normal(0, 1, 101)[users] * rng.normal(0, 1, 61)[items]
    stars = 3.3 + rng.normal(0, 0.3, 101)[users] + rng.normal(0, 0.4, 61)[items] + taste + rng.normal(0, 0.2, n)
    titles = [f"Café [bold] :star: {at}" if at == 3 else f"Café {at}" for at in items]
    frame = pl.DataFrame({"userId": users, "movieId": items, "rating": np.clip(np.round(stars), 1, 5), "title": titles})
    return frame.unique(["userId", "movieId"], maintain_order=True)


@pytest.fixture(scope="module")
def work(table, tmp_path_factory):
    """A folder with the ratings in every format."""
    folder = tmp_path_factory.mktemp("cli")
    table.write_csv(folder / "ratings.csv")
    table.write_csv(folder / "ratings.tsv", separator="\t")
    table.write_parquet(folder / "ratings.parquet")
    table.write_ipc(folder / "ratings.arrow")
    (folder / "latin.csv").write_bytes((folder / "ratings.csv").read_bytes().decode().encode("latin-1"))
    bare = table.select("userId", "movieId", pl.col("rating").cast(int))
    (folder / "ratings.dat").write_text("".join("::".join(map(str, row)) + "\n" for row in bare.iter_rows()))
    table.select("userId", "movieId").head(7).write_csv(folder / "pairs.csv")
    return folder


NAMED = ["--user", "userId", "--item", "movieId", "--rating", "rating"]


@pytest.fixture(scope="module")
def trained(work):
    """What `train ratings` answered, and the model that all questions go to."""
    done = vectable(
        "train", "ratings", work / "ratings.csv", *NAMED, "--title", "title", "--factors", 8, "-o", work / "model",
        "--json",
    )  # fmt: skip
    return good(done), work / "model"


@pytest.fixture(scope="module")
def model(trained):
    return trained[1]


# ---------------------------------------------------------------- the door


def test_help_and_version_import_neither_torch_nor_polars():
    code = (
        "import sys, vectable; from vectable.cli import run; heavy = {'torch', 'polars', 'numba', 'numpy'}\n"
        "assert not heavy & set(sys.modules), 'import vectable'\n"
        "sys.argv = ['vectable', sys.argv[1]]\n"
        "try: run()\n"
        "finally: assert not heavy & set(sys.modules), sys.argv"
    )
    for option, expected in (("--help", "Usage: vectable"), ("--version", f"vectable {vt.__version__}\n")):
        done = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
        assert done.stderr == ""


def test_the_installed_script_is_the_same_command():
    script = Path(sys.executable).with_name("vectable.exe" if os.name == "nt" else "vectable")
    if not script.exists():
        pytest.skip("installed without its script")
    done = subprocess.run([script, "--version"], capture_output=True, text=True)
    assert done.stdout == vectable("--version").stdout == f"vectable {vt.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(inside, command):
    for option in ("--help", "-h"):
        done = good(inside(*command.split(), option))
        text = " ".join(done.stdout.split())
        assert f"Example: vectable {command}" in text
        assert done.stderr == ""
    assert command.split()[0] in inside("--help").stdout


def test_no_command_and_no_such_command(inside):
    assert "Usage: vectable" in inside().stdout + inside().stderr
    for wrong in (["recomend"], ["recommend"], ["train"], ["info", "--jsn"], ["recommend", "model", "1", "-n", "x"]):
        done = inside(*wrong)
        assert done.returncode == 2
        assert "Traceback" not in done.stdout + done.stderr


# ---------------------------------------------------------------- training


def test_train_answers_in_json_alone_and_tells_progress_beside_it(trained):
    done, model = trained
    answer = json.loads(done.stdout)
    assert answer["model"] == str(model)
    assert answer["interrupted"] is False
    assert answer["rmse"] < answer["baselines"]["global mean"]["rmse"]
    assert answer["rmse"] == pytest.approx(answer["valid_loss"] ** 0.5)
    columns, about, *progress = done.stderr.splitlines()
    assert columns == "Columns: user from 'userId', item from 'movieId', rating from 'rating', title from 'title'."
    assert about.startswith("RatingsData: ")
    assert [line.split()[0] for line in progress if line.startswith("  ")] == ["epoch", *"01234"]
    learn = vt.load_learner(model, progress=False)
    assert learn.validate() == {key: answer[key] for key in ("valid_loss", "rmse", "mae", "baselines")}


FILES = {
    "ratings.tsv": [*NAMED],
    "ratings.parquet": [*NAMED],
    "ratings.arrow": [],
    "latin.csv": ["--encoding", "latin-1"],
    "ratings.dat": ["--no-header", "--columns", "userId,movieId,rating", "--sep", "::"],
}


@pytest.mark.parametrize("file", FILES)
def test_every_format_trains_the_same_model(inside, trained, work, tmp_path, file):
    titled = [] if file == "ratings.dat" else ["--title", "title"]
    done = good(inside("train", "ratings", work / file, *FILES[file], *titled, "--factors", 8, "-o", tmp_path / "m"))
    assert f"Saved to {tmp_path / 'm'}. Next: vectable recommend" in done.stdout.replace("\n", " ")
    learn, reference = (vt.load_learner(path, progress=False) for path in (tmp_path / "m", trained[1]))
    assert learn.validate() == reference.validate()
    if titled:
        assert learn.data.titles.to_list() == reference.data.titles.to_list()


def test_the_options_reach_the_model(inside, work, tmp_path):
    how = (
        "--nn --layers 9,7 --n-models 2 --epochs 1 -q --y-range 0,6 --seed 5 --preset lesson --wd 0.2 --batch-size 128"
    )
    good(inside("train", "ratings", work / "ratings.csv", *how.split(), "-o", tmp_path))
    about = json.loads(good(inside("info", tmp_path, "--json")).stdout)
    settings = about["settings"]
    assert settings["config"]["layers"] == [9, 7]
    assert settings["config"]["y_range"] == [0.0, 6.0]
    assert [settings[key] for key in ("n_models", "seed", "preset", "wd")] == [2, 5, "lesson", 0.2]
    assert settings["data"]["batch_size"] == 128


def test_quiet_is_quiet(inside, work, tmp_path):
    done = good(inside("train", "ratings", work / "ratings.csv", "--epochs", 1, "-q", "-o", tmp_path, "--json"))
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["Columns", "note"]  # one epoch is too little
    json.loads(done.stdout)


def test_a_data_set_by_its_name(inside, tmp_path):
    done = good(inside("train", "ratings", "movietweetings", "--epochs", 1, "--factors", 4, "-o", tmp_path, "--json"))
    assert json.loads(done.stdout)["rmse"] < 2


def test_lr_find(work, tmp_path):
    done = good(vectable("lr-find", work / "ratings.csv", "--plot", tmp_path / "lr.png", "--json"))
    found = json.loads(done.stdout)
    rules = {"valley", "steep", "minimum", "slide", "before_bottom", "around_steepest"}
    assert set(found) == rules | {"rate", "withheld"}
    assert all((found[name] is None) == (name in found["withheld"]) for name in rules | {"rate"})
    assert (tmp_path / "lr.png").read_bytes().startswith(PNG)


def test_lr_find_for_people(inside, work):
    lines = good(inside("lr-find", work / "ratings.csv")).stdout.splitlines()
    assert [line.split()[0] for line in lines][:3] == ["use", "valley", "steep"]


# ---------------------------------------------------------------- asking


def test_recommend_one_user(model):
    done = good(vectable("recommend", model, 42, "-n", 5, "--json"))
    rows = json.loads(done.stdout)
    assert done.stderr == ""
    assert [set(row) for row in rows] == [{"movieId", "title", "prediction", "ratings"}] * 5
    expected = vt.load_learner(model, progress=False).recommend(42, 5)
    assert [row["movieId"] for row in rows] == expected["movieId"].to_list()
    assert [row["prediction"] for row in rows] == expected["prediction"].to_list()


def test_recommend_with_filters(inside, model):
    seen = good(inside("recommend", model, 42, "-n", 100, "--include-seen", "--json"))
    assert len(json.loads(seen.stdout)) == 60
    chosen = ["--only", "Café 7", "--only", "9", "--only", "11", "--exclude", "11", "--include-seen"]
    rows = json.loads(good(inside("recommend", model, 42, *chosen, "--json")).stdout)
    assert sorted(row["movieId"] for row in rows) == [7, 9]


@pytest.mark.slow
def test_recommend_everybody_into_a_file(model, tmp_path):
    done = good(vectable("recommend", model, "--all", "-n", 4, "-o", tmp_path / "lists.parquet"))
    assert done.stdout == ""
    assert f"400 rows written to {tmp_path / 'lists.parquet'}" in done.stderr
    lists = pl.read_parquet(tmp_path / "lists.parquet")
    assert lists.columns == ["userId", "movieId", "title", "rank", "prediction"]
    learn = vt.load_learner(model, progress=False)
    for user in (1, 42, 100):
        assert (
            lists.filter(pl.col("userId") == user)["movieId"].to_list() == learn.recommend(user, 4)["movieId"].to_list()
        )


def test_similar_and_titles_that_look_like_markup(inside, model):
    rows = json.loads(good(inside("similar", model, "Café 5", "-n", 3, "--json")).stdout)
    assert len(rows) == 3
    assert rows == sorted(rows, key=lambda row: -row["similarity"])
    assert "Café [bold] :star: 3" in good(inside("similar", model, "Café 5", "-n", 60)).stdout


def test_explain(inside, model):
    rows = json.loads(good(inside("explain", model, 42, "Café 5", "-n", 2, "--json")).stdout)
    terms = {row["term"]: row["points"] for row in rows}
    assert sum(terms[name] for name in ("mean", "user", "item", "taste")) == pytest.approx(terms["prediction"])


@pytest.mark.slow
def test_insight_with_pictures(model, tmp_path):
    done = good(vectable("insight", model, "--plots", tmp_path / "deep" / "pictures", "--json", "-n", 2))
    answer = json.loads(done.stdout)
    assert len(answer["best"]) == len(answer["worst"]) == 2
    assert answer["best"][0]["bias"] > answer["worst"][0]["bias"]
    assert [one["factor"] for one in answer["factors"]] == [0, 1, 2]
    pictures = {file.name: file.read_bytes() for file in (tmp_path / "deep" / "pictures").iterdir()}
    assert set(pictures) == {"learning_rate.png", "losses.png", "map.png"}
    assert all(picture.startswith(PNG) for picture in pictures.values())


@pytest.mark.parametrize("top", [1, 2, 1000])
def test_insight_for_people(inside, model, top):
    text = good(inside("insight", model, "--top", top)).stdout
    assert "Highest bias" in text
    assert "Factor 0" in text


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "arrow", "json"])
def test_predict_into_a_file(inside, model, work, tmp_path, suffix):
    out = tmp_path / f"predicted.{suffix}"
    done = good(inside("predict", model, work / "pairs.csv", "-o", out))
    assert done.stdout == ""
    read = {"parquet": pl.read_parquet, "arrow": pl.read_ipc, "json": pl.read_json}.get(suffix, pl.read_csv)
    frame = read(out, separator="\t") if suffix == "tsv" else read(out)
    pairs = pl.read_csv(work / "pairs.csv")
    assert frame.columns == ["userId", "movieId", "prediction"]
    assert frame.select(pairs.columns).equals(pairs)
    expected = vt.load_learner(model, progress=False).predict(pairs)
    assert np.array_equal(frame["prediction"].to_numpy().astype(np.float32), expected)


def test_predict_to_standard_output_and_notes_beside_it(model, tmp_path):
    (tmp_path / "pairs.csv").write_text("userId,movieId\n42,5\n42,9999\n")
    done = good(vectable("predict", model, tmp_path / "pairs.csv"))
    header, *rows = done.stdout.splitlines()
    assert header == "userId,movieId,prediction"
    assert [row.rsplit(",", 1)[0] for row in rows] == ["42,5", "42,9999"]
    assert done.stderr == (
        "note: 1 of 2 rows have a 'movieId' that is not in the training data: the average one stands in.\n"
    )


def test_predict_json_of_any_column(inside, model, tmp_path):
    import datetime

    frame = pl.DataFrame({"userId": [1], "movieId": [2], "day": [datetime.date(2024, 1, 2)], "x": [float("nan")]})
    frame.write_parquet(tmp_path / "pairs.parquet")
    (row,) = json.loads(good(inside("predict", model, tmp_path / "pairs.parquet", "--json")).stdout)
    assert row["day"] == "2024-01-02"
    assert row["x"] is None


def test_info(inside, model):
    done = good(vectable("info", model, "--json"))
    about = json.loads(done.stdout)
    assert set(about) == {"kind", "saved", "format_version", "versions", "settings", "data", "errors"}
    assert about["versions"]["vectable"] == vt.__version__
    assert about["settings"]["config"]["n_factors"] == 8
    assert about["errors"]["rmse"] < about["errors"]["baselines"]["global mean"]["rmse"]
    assert about["data"].startswith("RatingsData: ")
    assert about["errors"] == json.loads(good(inside("info", model, "--validate", "--json")).stdout)["errors"]


def test_info_for_people(inside, model):
    text = good(inside("info", model)).stdout
    version = f"vectable {vt.__version__}"
    for part in ("EmbeddingDotBias", "RatingsData", "preset modern", version, "rmse", "global mean", "NDCG@10"):
        assert part in text


def test_export_vectors(inside, model, tmp_path):
    paths = [tmp_path / "items.parquet", tmp_path / "items.csv", tmp_path / "items.tsv"]
    for path in paths:
        written = good(inside("export-vectors", model, "-o", path)).stdout.split()
        assert written == [str(path)] + [str(tmp_path / "items_metadata.tsv")] * (path.suffix == ".tsv")
    assert len(pl.read_parquet(paths[0])) == len(pl.read_csv(paths[1])) == len(paths[2].read_text().splitlines()) == 60
    good(inside("export-vectors", model, "--users", "-o", tmp_path / "users.csv"))
    assert len(pl.read_csv(tmp_path / "users.csv")) == 100


def test_datasets(inside, tmp_path):
    listed = json.loads(good(inside("datasets", "--json")).stdout)
    assert {"goodbooks", "movietweetings", "ml-100k"} <= {row["name"] for row in listed}
    assert "goodbooks" in good(inside("datasets")).stdout
    about = json.loads(good(inside("datasets", "goodbooks", "--json")).stdout)
    assert about["ratings"] == 177_051
    assert "CC BY-SA" in about["licence"]
    assert "The Hobbit" not in good(inside("datasets", "goodbooks")).stderr
    written = good(inside("datasets", "goodbooks", "-o", tmp_path / "new" / "books")).stdout.split()
    assert written == [str(tmp_path / "new" / "books" / name) for name in ("ratings.csv", "items.csv")]
    assert len(pl.read_csv(written[0])) == 177_051
    about = json.loads(good(inside("datasets", "flights", "--json")).stdout)
    assert (about["flights"], about["airports"], about["licence"]) == (140_000, 102, "CC0 1.0")
    assert "salary" in good(inside("datasets", "adult")).stdout


# ---------------------------------------------------------------- mistakes


def test_a_mistake_is_one_sentence_and_no_traceback_in_a_process_too(work):
    done = vectable("train", "ratings", "rating.csv", cwd=work)
    assert (
        sentence(done)
        == "vectable: No such file: rating.csv. Did you mean 'ratings.csv' or 'ratings.tsv' or 'latin.csv'?"
    )


def test_mistakes_in_training(refused, work, tmp_path, monkeypatch):
    monkeypatch.chdir(work)
    train = ["train", "ratings", "ratings.csv", "-q", "-o", tmp_path / "m"]
    said = refused(*train, "--user", "userID")
    assert "has no column 'userID'. Did you mean 'userId'?" in said
    assert "Its columns are 'userId', 'movieId', 'rating', 'title'." in said
    assert "title" in refused(*train, "--rating", "title")
    assert "latin-1" in refused("train", "ratings", "latin.csv", "-o", tmp_path / "m")
    assert "no text encoding named 'latin-7'" in refused(*train, "--encoding", "latin-7")
    assert refused("train", "ratings", "goodbook") == (
        "vectable: There is no file and no data set 'goodbook'. Did you mean 'goodbooks'?"
    )
    assert "is a folder; name a file in it." in refused("train", "ratings", ".")
    assert "--layers is 'a'; give numbers separated by commas." in refused(*train, "--nn", "--layers", "a")
    assert "--y-range is 'low'; give numbers" in refused(*train, "--y-range", "low")
    for option, value in {
        "--valid-pct": 2, "--lr": -1, "--wd": -1, "--preset": "moddern", "--engine": "x", "--split": "x",
        "--factors": 0, "--epochs": 0, "--n-models": 0, "--batch-size": 0, "--duplicates": "x", "--items": "none.csv",
        "--y-range": "5,1", "--sep": "::", "--columns": "a,b", "--lr ": "nan", "--sep ": "\\",
    }.items():  # fmt: skip
        refused(*train, option.strip(), value)
    assert not (tmp_path / "m").exists()


def test_a_loss_that_blows_up(refused, work, tmp_path):
    said = refused("train", "ratings", work / "ratings.csv", "--lr", "1e30", "--y-range", "none", "-q", "-o", tmp_path)
    assert "was not a finite number" in said
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_is_refused_before_training(inside, work, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("mine")
    for target, said in {
        "file": "exists and is not a saved model; choose another name.",
        "folder": "exists and is not a saved model; choose another name.",
        "file/model": "cannot be written to.",
    }.items():
        done = inside("train", "ratings", work / "ratings.csv", "-o", tmp_path / target)
        assert done.stderr.endswith(said + "\n")
        assert "epoch" not in sentence(done)
    assert (tmp_path / "folder" / "thesis.txt").read_text() == "mine"


def test_models_that_are_none(refused, model, work, tmp_path):
    said = refused("recommend", model.with_name("modle"), 42)
    assert "There is no saved model at" in said
    assert said.endswith(f"Saved models there: {str(model)!r}.")
    for command in (["info"], ["insight"], ["recommend", 42], ["similar", 1], ["predict", work / "pairs.csv"]):
        said = refused(command[0], tmp_path, *command[1:])
        assert said == f"vectable: {str(tmp_path)!r} is not a saved model: it holds no vectable.json."
    (tmp_path / "vectable.json").write_text("{}")
    assert "its vectable.json is something else's." in refused("info", tmp_path)


def test_of_a_custom_module_there_is_info_alone(inside, refused, tmp_path):
    from torch import nn

    data = vt.TensorData.from_arrays(np.zeros((8, 2)), np.zeros((8, 1)))
    vt.Learner(data, nn.Linear(2, 1), progress=False).save(tmp_path / "own")
    assert "Linear x 1, 3 weights" in good(inside("info", tmp_path / "own")).stdout
    assert "is not a model of ratings" in refused("recommend", tmp_path / "own", 1)
    assert "holds no rows to measure on" in refused("info", tmp_path / "own", "--validate")


def test_unknown_users_and_items(inside, refused, model):
    done = good(inside("recommend", model, "nobody", "--json"))
    assert len(json.loads(done.stdout)) == 10
    assert done.stderr.startswith("note: 1 unknown user ('nobody'): the list is what the average user likes best.")
    said = refused("similar", model, "Cafe 5")
    assert "unknown item ('Cafe 5')" in said
    assert "'Café 5'" in said


def test_mistakes_in_asking(refused, inside, model, work, tmp_path):
    one_or_all = "vectable: Name one user, or give --all with --out FILE for every user, or --basket ITEM, or --about "
    one_or_all += "COLUMN=VALUE."
    assert refused("recommend", model) == refused("recommend", model, 42, "--all") == one_or_all
    assert refused("recommend", model, "--all").endswith("name a file with --out.")
    assert "No such file" in refused("predict", model, "nothing.csv")
    assert "has no column 'userId'" in refused("predict", model, work / "ratings.dat", "--sep", "::")
    assert "must end in one of .csv" in refused("predict", model, work / "pairs.csv", "-o", tmp_path / "x.xlsx")
    missing = tmp_path / "none" / "x.csv"
    for command in (
        ["recommend", model, 42, "-o", missing],
        ["predict", model, work / "pairs.csv", "-o", missing],
        ["similar", model, 5, "-o", missing],
        ["export-vectors", model, "-o", missing],
        ["export-vectors", model, "-o", missing.with_suffix(".tsv")],
    ):
        assert "cannot be written" in refused(*command)
    assert inside("recommend", model, 42, "-n", 0).returncode == 2


def test_folders_that_cannot_be_made(refused, model, tmp_path):
    (tmp_path / "file").write_text("mine")
    below = tmp_path / "file" / "folder"
    for command in (
        ["insight", model, "--plots", below],
        ["datasets", "goodbooks", "-o", below],
        ["demo", "-o", below],
    ):
        assert refused(*command).startswith(f"vectable: The folder {str(below)!r} cannot be made: ")


def test_a_misspelt_data_set(refused):
    said = refused("datasets", "goodboks")
    assert "There is no data set named 'goodboks'. Did you mean 'goodbooks'?" in said


# ---------------------------------------------------------------- Ctrl-C


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are sent another way there")
@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_ctrl_c_keeps_and_saves_what_was_trained(work, tmp_path, engine):
    command = [sys.executable, "-m", "vectable", "train", "ratings", work / "ratings.csv", "--factors", "8"]
    command += ["--epochs", "3000", "--engine", engine, "--json", "-o", tmp_path / "model"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.split()[:1] == ["2"]:  # two epochs and a little more
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "steps; what was trained until then is kept." in err
    answer = json.loads(out)
    assert answer["interrupted"] is True
    learn = vt.load_learner(tmp_path / "model", progress=False)
    assert learn.validate()["rmse"] == answer["rmse"]
    assert 3 <= len(learn.recorder.to_frame()) < 3000
    before = learn.validate()["rmse"]
    assert learn.fit(2, 5e-3).validate()["rmse"] < before


# ---------------------------------------------------------------- the demonstration


@pytest.mark.slow
def test_demo(tmp_path):
    done = good(vectable("demo", "-o", "demo", cwd=tmp_path))
    written = {file.name: file for file in (tmp_path / "demo").iterdir()}
    assert set(written) == {"lr_find.png", "learning_rate.png", "losses.png", "map.png", "model"}
    assert all(file.read_bytes().startswith(PNG) for name, file in written.items() if name.endswith(".png"))
    for part in (
        "Learning-rate finder: FoundRates(use ", "Trained in ", "global mean", "biases", "Best books by bias",
        "Worst books by bias", "Factor 0", "Factor 1", "Factor 2", "Books like The Hobbit",
        "Ten books for reader 1200, and why", "which you gave", "vectable recommend demo/model 7",
    ):  # fmt: skip
        assert part in done.stdout, part
    assert [line.split()[0] for line in done.stderr.splitlines() if line.startswith("  ")] == ["epoch", *"01234"]
    learn = vt.load_learner(written["model"], progress=False)
    measured = learn.validate()
    assert measured["rmse"] < measured["baselines"]["biases"]["rmse"] < measured["baselines"]["global mean"]["rmse"]


@pytest.mark.slow
def test_demo_as_json(inside, tmp_path):
    answer = json.loads(good(inside("demo", "-o", tmp_path, "--json")).stdout)
    assert answer["errors"]["rmse"] < answer["errors"]["baselines"]["biases"]["rmse"]
    assert len(answer["recommended"]) == 10
    assert set(answer["recommended"][0]) == {"title", "prediction", "why"}


@pytest.mark.slow
def test_demo_of_a_shop(tmp_path):
    done = good(vectable("demo", "--shop", "-o", "demo", cwd=tmp_path))
    written = {file.name for file in (tmp_path / "demo").iterdir()}
    assert written == {"map.png", "who_would_take_what", "what_comes_next"}
    for part in (
        "who would take what: fitted in ", "what comes next: fitted in ", "The last film of each of",
        "recent popularity", "How far from popularity", "Ten films for customer 7, and why", "because of",
        "What comes next after", "Films met by the same people as", "vectable recommend demo/who_would_take_what 42",
    ):  # fmt: skip
        assert part in done.stdout, part
    shown = json.loads(good(vectable("demo", "--shop", "-o", "again", "--json", cwd=tmp_path)).stdout)
    best, *others = [row["model"] for row in shown["test"]]
    assert best in ("who would take what", "what comes next")
    assert "popularity" in others
    assert len(shown["recommended"]) == 10


# ---------------------------------------------------------------- draws from the posterior


@pytest.fixture(scope="module")
def posterior(work):
    """What `train ratings --method bayes` answered, and its model."""
    done = vectable(
        "train", "ratings", work / "ratings.csv", *NAMED, "--title", "title", "--method", "bayes", "--factors", 4,
        "--draws", 60, "--burn-in", 10, "-o", work / "posterior", "--json",
    )  # fmt: skip
    return good(done), work / "posterior"


@pytest.mark.slow
def test_the_same_questions_go_to_a_posterior(posterior, inside, work):
    done, model = posterior
    told = json.loads(done.stdout)
    assert told["rmse"] < told["baselines"]["global mean"]["rmse"]
    assert len(told["split"]) == 12
    assert "Features: histories of both." in done.stderr
    plain = json.loads(good(inside("recommend", model, 42, "-n", 5, "--json")).stdout)
    hopeful = json.loads(good(inside("recommend", model, 42, "-n", 5, "--ucb-scale", 3, "--json")).stdout)
    old_name = good(inside("recommend", model, 42, "-n", 5, "--optimism=3", "--json"))
    assert json.loads(old_name.stdout) == hopeful
    assert "--optimism is now called --ucb-scale" in old_name.stderr
    assert len(plain) == 5
    assert plain != hopeful
    assert len(json.loads(good(inside("similar", model, "Café 7", "-n", 3, "--json")).stdout)) == 3
    terms = json.loads(good(inside("explain", model, 42, "Café 7", "--json")).stdout)
    assert {"prediction", "mean", "user", "item", "taste"} <= {one["term"] for one in terms}
    rows = pl.read_csv(good(inside("predict", model, work / "pairs.csv", "--interval", 0.9)).stdout.encode())
    assert ((rows["low"] <= rows["prediction"]) & (rows["prediction"] <= rows["high"])).all()
    about = good(inside("info", model)).stdout
    assert "PosteriorDotBias" in about
    assert "rhat" in about
    good(inside("insight", model, "--plots", work / "pictures of draws"))
    assert (work / "pictures of draws" / "coverage.png").read_bytes().startswith(PNG)
    good(inside("export-vectors", model, "-o", work / "draws.parquet"))
    assert "factor_3" in pl.read_parquet(work / "draws.parquet").columns


def test_options_of_the_other_method_are_refused(refused, trained, work):
    assert "--epochs belongs to --method gradient" in refused(
        "train", "ratings", work / "ratings.csv", "--method", "bayes", "--epochs", 3
    )
    assert "--draws belongs to --method bayes" in refused("train", "ratings", work / "ratings.csv", "--draws", 3)
    assert "got 'mcmc'" in refused("train", "ratings", work / "ratings.csv", "--method", "mcmc")
    _, model = trained
    assert "ucb_scale needs a model that knows how sure it is" in refused("recommend", model, 42, "--ucb-scale", 1)
    assert "does not know how certain it is" in refused("predict", model, work / "pairs.csv", "--interval", 0.9)
