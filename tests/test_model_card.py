"""Model cards say what the learner measures, for each kind of learner."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import vectable as vt
from vectable.errors import DataError


def figures(text: str) -> dict[str, dict[str, str]]:
    """The card's table of figures: by row and column."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}


def card_of(learn: Any, folder: Path, **how: Any) -> str:
    return learn.card(folder / "README.md", **how).read_text(encoding="utf-8")


def test_the_card_of_ratings_has_the_errors_of_validate(trained: "vt.CollabLearner", tmp_path: Path) -> None:
    text = card_of(trained, tmp_path, title="Films", data_set="movietweetings")
    measured = trained.validate()
    baselines = measured.pop("baselines")
    told = figures(text)
    assert told["model"] == {name: f"{value:.4f}" for name, value in measured.items()}
    for name, errors in baselines.items():
        assert told[name]["rmse"] == f"{errors['rmse']:.4f}"
    assert text.startswith("# Films\n")
    assert f"`{trained.data.fingerprint}`" in text
    assert f"Licence: {vt.datasets.info('movietweetings').licence}" in text
    assert "learn.recommend(user, n=10)" in text


def test_a_licence_that_nobody_knows_is_not_stated(trained: "vt.CollabLearner", tmp_path: Path) -> None:
    assert "Licence: not stated" in card_of(trained, tmp_path)
    assert "Licence: CC0" in card_of(trained, tmp_path, data_set="our shop", licence="CC0")


@pytest.mark.parametrize("task", ["numbers", "classes"])
def test_the_card_of_a_table_has_the_simplest_guess_beside_it(task: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    y = 3 * x + rng.normal(size=120) if task == "numbers" else np.where(x > 0.3, "high", "low")
    data = vt.TableData.from_df(pl.DataFrame({"x": x, "y": y}), "y", task=task)
    learn = vt.tabular_learner(data, [4], progress=False).fit_one_cycle(1, 1e-2)
    told = figures(card_of(learn, tmp_path))
    assert told["model"] == {name: f"{value:.4f}" for name, value in learn.validate().items()}
    right = data.valid_frame["y"].to_numpy()
    if task == "numbers":
        train_mean = pl.Series(y).sum() - right.sum()
        train_mean /= 120 - len(right)
        assert told["the mean"]["rmse"] == f"{np.sqrt(((right - train_mean) ** 2).mean()):.4f}"
    else:
        assert told["the commonest class"]["accuracy"] == f"{(right == 'low').mean():.4f}"


def test_the_card_of_interactions_has_what_was_tried(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    frame = pl.DataFrame({"user": rng.integers(0, 30, 500), "item": rng.integers(0, 25, 500)})
    learn = vt.implicit_learner(vt.InteractionsData.from_df(frame, "user", "item"), "neighbours", progress=False).fit()
    text = card_of(learn, tmp_path)
    told = figures(text)
    for row in learn.tried.to_dicts():
        assert told[row["model"]]["ndcg@10"] == f"{row['ndcg@10']:.4f}"
    assert learn.chosen is not None
    assert f"Kept: {learn.chosen.name}" in text


def test_what_cannot_be_measured_is_said(ratings_frame: pl.DataFrame, tmp_path: Path) -> None:
    data = vt.RatingsData.from_df(ratings_frame, valid_pct=0.0)
    learn = vt.collab_learner(data, n_factors=2, progress=False)
    assert "No rows were held out" in card_of(learn, tmp_path)
    served = vt.load_learner(learn.save(tmp_path / "served", serving=True), progress=False)
    assert "serving folder" in card_of(served, tmp_path)


def test_a_card_that_cannot_be_written_is_one_sentence(trained: "vt.CollabLearner", tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder"):
        trained.card(tmp_path / "no" / "README.md")
