"""What the train commands keep, say and stop at: the best epoch, early stopping, checkpoints, signals, baselines."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with ratings that users' and items' tastes explain, and with quantities that nothing explains."""
    folder = tmp_path_factory.mktemp("train")
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((60, 40)) < 0.6)
    taste = (rng.normal(size=(60, 3)) @ rng.normal(size=(3, 40)))[users, items]
    ratings = pl.DataFrame({"user": users, "item": items, "stars": np.clip(np.round(3 + taste), 1, 5)})
    ratings.write_csv(folder / "ratings.csv")
    quantities = ratings.rename({"stars": "rating"}).with_columns(rating=pl.Series(rng.geometric(0.1, len(users))))
    quantities.write_csv(folder / "orders.csv")
    noise = pl.DataFrame({"x": rng.normal(size=400), "kind": rng.choice(["a", "b"], 400), "y": rng.normal(size=400)})
    noise.write_csv(folder / "noise.csv")
    return folder


LONG = ["--epochs", 12, "--lr", 0.05, "--wd", 0, "--factors", 30]


def train(inside, work, *args):
    return inside("train", "ratings", work / "ratings.csv", *args)


# ---------------------------------------------------------------- the best epoch


def test_the_best_epoch_is_kept_and_named(inside, work, tmp_path):
    done = good(train(inside, work, *LONG, "-o", tmp_path / "best"))
    learn = vt.load_learner(tmp_path / "best", progress=False)
    losses = learn.recorder.to_frame()["valid_loss"]
    best = int(losses.arg_min())
    assert best < 11, "the last epoch is not the best here"
    assert f"Kept the weights of epoch {best}, the lowest loss on the held-out rows." in done.stderr
    assert learn.validate()["valid_loss"] == pytest.approx(losses[best])


def test_the_last_epoch_is_kept_where_that_is_asked_for(inside, refused, work, tmp_path):
    done = good(train(inside, work, *LONG, "--keep", "last", "--json", "-o", tmp_path / "last"))
    answer = json.loads(done.stdout)
    learn = vt.load_learner(tmp_path / "last", progress=False)
    losses = learn.recorder.to_frame()["valid_loss"]
    assert answer["valid_loss"] == pytest.approx(losses[-1])
    assert answer["best_epochs"] == [losses.arg_min()]
    assert "Kept the weights" not in done.stderr
    said = refused("train", "ratings", work / "ratings.csv", "--keep", "first", "-o", tmp_path / "m")
    assert "--keep must be best or last; got 'first'." in said


def test_training_stops_early(inside, work, tmp_path):
    done = good(train(inside, work, *LONG, "--early-stop", 2, "-o", tmp_path))
    learn = vt.load_learner(tmp_path, progress=False)
    losses = learn.recorder.to_frame()["valid_loss"]
    assert len(losses) < 12
    assert len(losses) == losses.arg_min() + 3
    assert f"Stopped early, after {len(losses)} of 12 epochs: no better for 2." in done.stderr


def test_without_held_out_rows_the_last_epoch_is_kept(inside, refused, work, tmp_path):
    done = good(train(inside, work, "--valid-pct", 0, "--json", "-o", tmp_path / "m"))
    assert json.loads(done.stdout)["best_epochs"] == []
    assert json.loads(done.stdout)["beats_baselines"] is None
    early = ["-q", "--valid-pct", 0, "--early-stop", 1, "-o", tmp_path / "n"]
    assert "--early-stop looks at held-out rows" in refused("train", "ratings", work / "ratings.csv", *early)


# ---------------------------------------------------------------- figures, and whether they are good


def test_ranking_figures_stand_beside_the_errors(inside, work, tmp_path):
    done = good(train(inside, work, *LONG, "-o", tmp_path / "m"))
    for part in ("Error on the held-out ratings", "NDCG@10", "recall@10", "hit rate@10", "popularity"):
        assert part in done.stdout
    answer = json.loads(good(train(inside, work, *LONG, "-o", tmp_path / "m", "--json")).stdout)
    assert set(answer["ranking"]["model"]) == {"ndcg", "recall", "hit_rate"}
    answer = json.loads(good(train(inside, work, *LONG, "-o", tmp_path / "m", "--json", "--no-ranking")).stdout)
    assert "ranking" not in answer


def test_a_model_that_beats_its_baselines_is_not_commented_upon(inside, work, tmp_path):
    done = good(train(inside, work, *LONG, "-o", tmp_path / "m", "--json"))
    assert json.loads(done.stdout)["beats_baselines"] is True
    assert "baselines" not in done.stderr


def test_a_model_that_does_not_says_so_whenever_it_is_measured(inside, work, tmp_path):
    done = good(inside("train", "ratings", work / "orders.csv", "-q", *LONG, "-o", tmp_path / "m", "--json"))
    answer = json.loads(done.stdout)
    assert answer["beats_baselines"] is False
    assert answer["rmse"] >= min(one["rmse"] for one in answer["baselines"].values())
    assert "This model does not beat its baselines" in done.stderr
    for more in ([], ["--validate"]):
        assert "This model does not beat its baselines" in good(inside("info", tmp_path / "m", *more)).stderr
    for command in (["recommend", 1], ["similar", 1], ["explain", 1, 1], ["insight"]):
        done = good(inside(command[0], tmp_path / "m", *command[1:]))
        assert "did not beat its baselines when it was trained; do not rely on it" in done.stderr
    learn = vt.load_learner(tmp_path / "m", progress=False)
    learn.fit(1, 1e-3).save(tmp_path / "m")
    assert "baselines" not in good(inside("recommend", tmp_path / "m", 1)).stderr, "measured before it trained on"


def test_a_table_that_nothing_explains_is_reported_too(inside, work, tmp_path):
    how = ["--layers", 20, "--epochs", 5, "--lr", 0.1, "--batch-size", 32, "-q", "--keep", "last", "-o", tmp_path / "m"]
    done = good(inside("train", "table", work / "noise.csv", "--target", "y", *how, "--json"))
    assert json.loads(done.stdout)["beats_baselines"] is False
    said = "does not beat the simplest guess for 'y' on the held-out rows: its rmse is"
    assert said in done.stderr
    assert said in good(inside("insight", tmp_path / "m")).stderr


# ---------------------------------------------------------------- checkpoints and signals


def test_a_checkpoint_that_is_of_a_finished_fit_is_not_trained_again(inside, work, tmp_path):
    args = ["--checkpoint", tmp_path / "kept", "--checkpoint-every", 1, "-o", tmp_path / "m", "--json"]
    first = json.loads(good(train(inside, work, *args)).stdout)
    again = good(train(inside, work, *args))
    assert json.loads(again.stdout) == first
    assert "nothing is left to train" in again.stderr


def test_options_of_checkpoints_are_checked(refused, work, tmp_path):
    args = ["train", "ratings", work / "ratings.csv", "-o", tmp_path / "m", "--checkpoint-every"]
    assert "--checkpoint-every belongs to --checkpoint FOLDER" in refused(*args, 3)
    assert "must be a positive number of seconds" in refused(*args, 0, "--checkpoint", tmp_path / "kept")


@pytest.mark.skipif(os.name == "nt", reason="signals are sent another way there")
def test_a_termination_signal_saves_and_the_same_command_continues(work, tmp_path):
    args = ["--epochs", 2000, "--factors", 8, "--checkpoint", tmp_path / "kept", "-o", tmp_path / "model", "--json"]
    command = [sys.executable, "-m", "vectable", "train", "ratings", work / "ratings.csv", *args]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if line.split()[:1] == ["3"]:
                process.send_signal(signal.SIGTERM)
                break
        out, err = process.communicate(timeout=120)
    assert process.returncode == 143, err
    assert f"The same command continues from the checkpoint in {tmp_path / 'kept'}." in err
    assert "Traceback" not in err
    assert json.loads(out)["interrupted"] is True
    assert len(vt.load_learner(tmp_path / "model", progress=False).recorder.to_frame()) >= 3


# ---------------------------------------------------------------- every method


QUICK = ["--epochs", 8, "--lr", 0.02, "--factors", 4, "--draws", 8, "--burn-in", 4]


def test_method_auto_keeps_the_best_and_shows_all(inside, work, tmp_path):
    answer = json.loads(good(train(inside, work, "--method", "auto", *QUICK, "-o", tmp_path / "m", "--json")).stdout)
    tried = {one["method"]: one for one in answer["tried"]}
    assert set(tried) == {"gradient", "ensemble", "bayes"}
    best = min(tried.values(), key=lambda one: one["rmse"])
    assert [one["method"] for one in tried.values() if one["kept"]] == [best["method"]]
    assert answer["rmse"] == best["rmse"]
    learn = vt.load_learner(tmp_path / "m", progress=False)
    assert learn.validate()["rmse"] == pytest.approx(best["rmse"])


def test_method_auto_for_people(inside, refused, work, tmp_path):
    done = good(train(inside, work, "--method", "auto", *QUICK, "--user-day", "-o", tmp_path / "m"))
    table = done.stdout[done.stdout.index("All methods on the held-out ratings") :].splitlines()
    assert {line.split()[0] for line in table[2:7]} == {"gradient", "ensemble", "bayes", "global", "biases"}
    assert "(kept)" in done.stdout
    assert "note: bayes is left out: " in done.stderr, "there are no times, which --user-day needs"
    nothing_held_out = ["--method", "auto", "--valid-pct", 0, "-q", "-o", tmp_path / "n"]
    said = refused("train", "ratings", work / "ratings.csv", *nothing_held_out)
    assert "--method auto compares on held-out rows" in said


# ---------------------------------------------------------------- how ratings lie in a file


def test_a_matrix_of_ratings(inside, refused, work, tmp_path):
    long = pl.read_csv(work / "ratings.csv")
    wide = long.pivot("item", index="user", values="stars").fill_null(99)
    wide.write_csv(tmp_path / "wide.csv")
    args = ["train", "ratings", tmp_path / "wide.csv", "--wide", "--missing", 99, "--epochs", 1, "-o", tmp_path / "m"]
    done = good(inside(*args, "--json"))
    data = vt.load_learner(tmp_path / "m", progress=False).data
    assert (data.n_users, data.n_items) == (60, 40)
    assert len(data.train_ratings) + len(data.valid_ratings) == len(long)
    assert data.rating_range == (1, 5)
    assert done.stderr.startswith("Columns: user from 'user', ")
    assert "--missing belongs to --wide" in refused("train", "ratings", work / "ratings.csv", "--missing", 9)
    assert "with --wide columns are items" in refused(*args, "--rating", "stars")
    assert "with --wide columns are items" in refused(*args, "--timestamp", "when")
