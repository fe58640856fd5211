"""The lesson recomputed: the table has every number, ours are near the lesson's, and what is missing is said."""

import json
import sys
from dataclasses import asdict

import numpy as np
import pytest

from vectable.errors import UnknownNameError, VectableError
from vectable.lesson import TOPICS, Recomputed, Row, Trial, decay, printed, ratings, recompute, sheets, stored
from vectable.lesson.rows import spread


def ours(rows, what):
    (row,) = [row for row in rows if row.what == what]
    return float(row.ours.split()[0])


@pytest.fixture(scope="module")
def with_data(data_dir):
    """All topics but the experiments, two seeds, with the data directory."""
    for folder in ("ml-100k", "mnist", "lesson_xl"):
        if not (data_dir / folder).is_dir():
            pytest.skip(f"needs {folder} in {data_dir}")
    return recompute(data_dir, [topic for topic in TOPICS if topic != "experiments"], seeds=2)


@pytest.mark.slow
def test_nothing_is_missing_with_the_data_at_hand(with_data):
    assert with_data.missing == []
    assert with_data.data == "ml-100k"
    assert {row.topic for row in with_data.rows} == set(TOPICS) - {"experiments"}
    assert all(row.ours and row.what for row in with_data.rows)
    assert all(row.command.startswith("vectable lab ") for row in with_data.rows if row.topic != "paper")


@pytest.mark.slow
def test_ratings_are_near_the_lessons(with_data):
    rows = with_data.rows
    for at, lesson in enumerate(printed.VALID_LOSS):
        assert ours(rows, f"validation MSE, epoch {at + 1}") == pytest.approx(lesson, abs=0.045)
    assert ours(rows, "its root, beside LibRec's best") < printed.LIBREC_RMSE
    shared = {row.what: row.ours for row in rows}
    assert "10 of its 10" in shared["most rated films"]
    for ends in ("best films by bias", "worst films by bias"):
        assert float(shared[ends].split("; ")[1].split()[0]) >= 8
    assert float(shared["ends of factor 0"].split("; ")[1].split()[0]) >= 16
    for title, mean in printed.MEAN_RATINGS.items():
        assert ours(rows, f"mean rating of {title}") == pytest.approx(mean, abs=1e-4)


@pytest.mark.slow
def test_workbooks_and_digits_are_the_lessons(with_data):
    rows = with_data.rows
    assert ours(rows, "rmse, dot product") == 0.3930
    assert ours(rows, "rmse, with biases") == 0.3195
    assert ours(rows, "rmse, dot product, fitted again") <= 0.3931
    assert ours(rows, "rmse, with biases, fitted again") <= 0.3195
    assert ours(rows, "one cycle, accuracy") == pytest.approx(0.9608, abs=0.01)
    assert ours(rows, "one cycle, validation loss") == pytest.approx(0.135789, abs=0.02)
    assert ours(rows, "update loop, Adam 2e-2, loss at the end") < 0.4
    assert ours(rows, "update loop, new Adam every step, 2e-2, loss at the end") > 0.6


def test_five_epochs_and_entropies_need_no_data():
    rows = sheets.descent_rows()
    assert ours(rows, "intercept after 5 epochs, plain descent") == 1.2755
    assert ours(rows, "intercept after 5 epochs, RMSProp") == 3.1891
    assert 24 < ours(rows, "intercept after 5 epochs, Adam, the annealing sheet") < 26
    assert [row.ours for row in sheets.entropy_rows()] == [
        "0.301 (natural 0.693)", "0.009 (natural 0.020)", "1.000 (natural 2.303)"
    ]  # fmt: skip


def test_decay_is_the_same_for_plain_descent_only():
    apart = [float(row.ours.split()[-1]) for row in decay.rows()]
    assert max(apart[:3]) < 1e-12
    assert apart[3] > 0.01


def test_the_papers_table_is_whole_and_says_where_ours_is_from():
    rows = stored.rows()
    assert len(rows) == 8
    for row in rows:
        if row.ours == "not measured":
            assert row.command == ""
        else:
            assert "stored, 20" in row.note
            assert row.command.startswith("python benchmarks/")


def test_without_data_the_shipped_books_stand_in_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("VECTABLE_DATA", raising=False)
    monkeypatch.setattr(ratings, "has_ml_100k", lambda data_dir: False)
    found = recompute(None, ["ratings", "workbooks", "digits", "decay", "paper"], seeds=1)
    assert found.data == "goodbooks"
    assert len(found.missing) == 3
    assert all("not at hand" in one for one in found.missing)
    assert {row.topic for row in found.rows} == {"ratings", "workbooks", "decay", "paper"}
    assert "goodbooks" in found.rows[0].note


def test_experiments_vary_one_thing_and_compare_seed_by_seed(monkeypatch):
    asked = []

    class Quick(ratings.Runs):
        def run(self, seed, **setting):
            asked.append((seed, setting))
            return super().run(seed, **(setting | {"n_factors": 2, "lr": 1e-2}))

    monkeypatch.setattr(ratings, "has_ml_100k", lambda data_dir: False)
    monkeypatch.setattr(ratings, "EPOCHS", 1)
    monkeypatch.setattr(ratings, "TRIALS", {"factors": ratings.TRIALS["factors"], "y_range": ratings.TRIALS["y_range"]})
    found = ratings.trials(Quick("goodbooks", range(2)))
    assert len(asked) == 2 * (1 + 3 + 2)
    assert [trial.setting for trial in found if "lesson's" in trial.setting] == [
        "40 (the lesson's)",
        "(0, 5.5) (the lesson's)",
    ]
    assert all(len(setting) <= 1 for _, setting in asked)
    trial = Trial("x", "y", [1.0, 2.0], [0.5, 1.0])
    assert trial.difference == "+0.7500 ± 0.3536"
    assert spread([0.25]) == "0.2500"


def test_what_came_out_is_also_a_table():
    found = Recomputed(
        rows=decay.rows(),
        trials=[Trial("wd", "0.1 (the lesson's)", [1.0, 2.0], [1.0, 2.0]), Trial("wd", "0", [2.0, 4.0], [1.0, 2.0])],
    )
    assert found.to_frame().rows(named=True) == [asdict(row) for row in found.rows]
    assert found.experiments().rows() == [
        ("wd", "0.1 (the lesson's)", "1.5000 ± 0.7071", ""),
        ("wd", "0", "3.0000 ± 1.4142", "+1.5000 ± 0.7071"),
    ]
    assert Recomputed().to_frame().columns == ["topic", "what", "lesson", "ours", "note", "command"]


def test_topics_and_seeds_that_make_no_sense():
    with pytest.raises(UnknownNameError, match="Did you mean 'digits'"):
        recompute(only=["digit"])
    with pytest.raises(VectableError, match="seeds must be a positive integer; got 0"):
        recompute(only=["decay"], seeds=0)


def run_command(capsys, monkeypatch, *args):
    from vectable.cli import run

    monkeypatch.setattr(sys, "argv", ["vectable", "lab", "lesson", *map(str, args)])
    code = 0
    try:
        run()
    except SystemExit as ended:
        code = ended.code or 0
    return code, *capsys.readouterr()


def test_the_command_prints_tables_or_json(capsys, monkeypatch):
    monkeypatch.delenv("VECTABLE_DATA", raising=False)
    code, out, err = run_command(capsys, monkeypatch, "--only", "decay,workbooks")
    assert code == 0
    assert "Decay" in out
    assert "not at hand" in out
    assert "[1] " in out
    code, out, _ = run_command(capsys, monkeypatch, "--only", "decay", "--json")
    told = json.loads(out)
    assert code == 0
    assert [Row(**row) for row in told["rows"]] == decay.rows()
    code, out, err = run_command(capsys, monkeypatch, "--only", "decai")
    assert (code, out) == (1, "")
    assert "Did you mean 'decay'?" in err
    assert run_command(capsys, monkeypatch, "--data", "/nowhere")[2] == "vectable: There is no folder '/nowhere'.\n"


def test_the_smoothed_loss_is_the_recorders():
    losses = np.random.default_rng(0).random(50)
    from vectable.lab.averages import ewma
    from vectable.training.recorder import smooth

    np.testing.assert_allclose(ewma(losses, 0.98, debias=True), smooth(losses), atol=1e-12)
