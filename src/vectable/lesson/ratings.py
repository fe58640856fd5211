"""The lesson's collaborative filter: errors, biases, factors; and the settings it tells the listener to try."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.sets import catalogue
from vectable.errors import VectableWarning
from vectable.lesson import printed
from vectable.lesson.rows import Row, Trial, spread
from vectable.ratings.collab import CollabLearner, collab_learner

SETTING: dict[str, Any] = {"n_factors": 40, "y_range": (0.0, 5.5), "wd": 0.1, "preset": "lesson"}
LR, EPOCHS = 5e-3, 5
COMMAND = "vectable lab lesson --only ratings"
AGREE = "the first three; then how many of the {} agree"
TRIALS: dict[str, dict[str, dict[str, Any]]] = {
    "factors": {f"{n}": {"n_factors": n} for n in (10, 20, 40, 80)},
    "learning rate": {f"{lr:g}": {"lr": lr} for lr in (5e-4, 5e-3, 5e-2)},
    "weight decay": {f"{wd:g}": {"wd": wd} for wd in (0.0, 0.01, 0.1)},
    "y_range": {
        "none": {"y_range": None},
        "(0, 5)": {"y_range": (0.0, 5.0)},
        "(0, 5.5)": {"y_range": (0.0, 5.5)},
    },
}
LESSONS = {"factors": "40", "learning rate": "0.005", "weight decay": "0.1", "y_range": "(0, 5.5)"}


class Runs:
    """The lesson's run on a data set of ratings, with titles as items where there are any.

    Attributes:
        name: of the data set, in the catalogue.
        seeds: each of a split, a start and batches.
    """

    def __init__(self, name: str, seeds: Sequence[int], data_dir: str | os.PathLike[str] | None = None) -> None:
        self.seeds = list(seeds)
        self.name = name
        found = catalogue.load(name, data_dir=_as_path(data_dir), download=False)
        self.frame, self.item = found.ratings, found.item
        if found.items is not None and found.title is not None:
            titles = found.items.select(found.item, found.title)
            if found.title not in self.frame.columns:
                self.frame = self.frame.join(titles, on=found.item, how="left", maintain_order="left")
            self.item = found.title
        self.user, self.rating = found.user, found.rating

    def data(self, seed: int) -> RatingsData:
        """The ratings split by a seed, a tenth held out."""
        return RatingsData.from_df(self.frame, self.user, self.item, self.rating, valid_pct=0.1, seed=seed)

    def run(self, seed: int, lr: float = LR, **setting: Any) -> CollabLearner:
        """One run with the lesson's settings but for those given."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VectableWarning)  # films that share a title are kept, as the lesson does
            learn = collab_learner(self.data(seed), **(SETTING | setting), seed=seed, progress=False)
            learn.fit_one_cycle(EPOCHS, lr)
        return learn

    def error(self, seed: int, **setting: Any) -> float:
        """Validation error at the end of one run, mean squared."""
        return float(self.run(seed, **setting).recorder.runs[-1].epochs[-1]["valid_loss"])


def _as_path(folder: str | os.PathLike[str] | None) -> Path | None:
    return None if folder is None else Path(folder)


def has_ml_100k(data_dir: str | os.PathLike[str] | None) -> bool:
    """Whether ml-100k can be read without fetching it."""
    try:
        catalogue.load("ml-100k", data_dir=_as_path(data_dir), download=False)
    except (ValueError, OSError):
        return False
    return True


def rows(runs: Runs) -> list[Row]:
    """Errors by epoch, sizes, biases and factors."""
    learners = [runs.run(seed) for seed in runs.seeds]
    lessons = runs.name == "ml-100k"
    over = f"mean ± sd over {len(learners)} random splits" if len(learners) > 1 else "one random split"
    note = over if lessons else f"{over} of the shipped goodbooks: ml-100k is not at hand, so not the lesson's films"
    epochs = [learn.recorder.runs[-1].epochs for learn in learners]
    found = []
    for key, what, values in (
        ("valid_loss", "validation", printed.VALID_LOSS),
        ("train_loss", "training", printed.TRAIN_LOSS),
    ):
        for at, value in enumerate(values):
            ours = spread([one[at][key] for one in epochs])
            why = f"{note}; the lesson's is one split, its last batches averaged" if key == "train_loss" else note
            found.append(Row("ratings", f"{what} MSE, epoch {at + 1}", f"{value:.4f}", ours, why, COMMAND))
    errors = [one[-1]["valid_loss"] ** 0.5 for one in epochs]
    found.append(
        Row("ratings", "its root, beside LibRec's best", f"{printed.LIBREC_RMSE}", spread(errors), note, COMMAND)
    )
    first = learners[0]
    sizes = f"{first.data.n_users + 1}, {first.data.n_items + 1}"
    why = "training vocabularies and the unknown slot: they change with the split" if lessons else note
    found.append(Row("ratings", "rows of the user and item embeddings", "944, 1654", sizes, why, COMMAND))
    return found + (_counts(runs) + _films(learners) if lessons else _books(learners[0], note))


def _counts(runs: Runs) -> list[Row]:
    """What the table of ratings says by itself: the films rated most, and the mean rating of two."""
    films = runs.frame.group_by(runs.item).agg(count=pl.len(), mean=pl.col(runs.rating).mean())
    most = films.sort("count", descending=True)[runs.item].head(len(printed.MOST_RATED)).to_list()
    shared = f"{', '.join(most[:3])}; {len(set(most) & set(printed.MOST_RATED))} of its 10"
    found = [Row("ratings", "most rated films", ", ".join(printed.MOST_RATED[:3]), shared, AGREE.format(10), COMMAND)]
    for title, mean in printed.MEAN_RATINGS.items():
        ours = films.filter(pl.col(runs.item) == title)["mean"].item()
        found.append(Row("ratings", f"mean rating of {title}", f"{mean:.4f}", f"{ours:.4f}", "", COMMAND))
    return found


def _films(learners: list[CollabLearner]) -> list[Row]:
    """How many of the lesson's films stand at the same ends; each seed asked, the first one named."""
    found = []
    tables = [pl.DataFrame(learn.biases(top=printed.TOP_FILMS)) for learn in learners]
    name = tables[0].columns[0]
    for what, lessons, ends in (
        ("best films by bias", printed.BEST_BY_BIAS, [table[name].to_list() for table in tables]),
        ("worst films by bias", printed.WORST_BY_BIAS, [table[name].to_list()[::-1] for table in tables]),
    ):
        shared = spread([len(set(lessons) & set(one[: len(lessons)])) for one in ends], 1)
        ours = f"{', '.join(ends[0][:3])}; {shared} of its 15"
        found.append(Row("ratings", what, ", ".join(lessons[:3]), ours, AGREE.format(15), COMMAND))
    found += [_factor(learners, which) for which in (0, 1)]
    return found


def _factor(learners: list[CollabLearner], which: int) -> Row:
    high, low = printed.FACTOR_ENDS[which]
    shared, named = [], ""
    for learn in learners:
        table, _ = learn.components(k=3, top=printed.TOP_FILMS)
        table = pl.DataFrame(table)
        ends = []
        for at in range(3):  # the order of components of like size changes with the seed, their sign is anybody's
            films = table.sort(f"factor {at}", descending=True)[table.columns[0]].to_list()
            for one in (films, films[::-1]):
                both = [len(set(high) & set(one[:50])), len(set(low) & set(one[-50:]))]
                ends.append((sum(both), one[:2], one[:-3:-1]))
        best = max(ends, key=lambda end: end[0])
        shared.append(best[0])
        named = named or f"{', '.join(best[1])} / {', '.join(best[2])}"
    note = "the first two at each end; then how many of its 2 x 10 are among our 2 x 50 of the component that fits best"
    lessons = f"{', '.join(high[:2])} / {', '.join(low[:2])}"
    return Row("ratings", f"ends of factor {which}", lessons, f"{named}; {spread(shared, 1)} of 20", note, COMMAND)


def _books(learn: CollabLearner, note: str) -> list[Row]:
    table = pl.DataFrame(learn.biases(top=printed.TOP_FILMS))
    names = table[table.columns[0]].to_list()
    return [
        Row("ratings", "best by bias", ", ".join(printed.BEST_BY_BIAS[:3]), ", ".join(names[:3]), note, COMMAND),
        Row("ratings", "worst by bias", ", ".join(printed.WORST_BY_BIAS[:3]), ", ".join(names[:-4:-1]), note, COMMAND),
    ]


def trials(runs: Runs) -> list[Trial]:
    """Every setting of `TRIALS` over all seeds, the others at the lesson's."""
    lessons = [runs.error(seed) for seed in runs.seeds]
    found = []
    for experiment, settings in TRIALS.items():
        for name, setting in settings.items():
            own = name == LESSONS[experiment]
            errors = lessons if own else [runs.error(seed, **setting) for seed in runs.seeds]
            found.append(Trial(experiment, f"{name} (the lesson's)" if own else name, errors, lessons))
    return found
