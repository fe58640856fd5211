"""The student's screen: ``python -m vectable.studio.lesson_steps FILE`` runs the lesson and writes its steps.

Every number is computed here, on ml-100k where it is at hand and on the shipped goodbooks elsewhere.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from vectable._version import __version__
from vectable.lesson import printed
from vectable.lesson.race import race
from vectable.lesson.ratings import EPOCHS, LR, SETTING, Runs, has_ml_100k
from vectable.studio.json_files import write_json
from vectable.training.recorder import smooth

SEED = 42
DECAYS = (0.0, 0.01, 0.1)
DRAWN = 300  # points of a curve
NAMED = 8  # items of a list

Json = dict[str, Any]


def lesson_steps() -> Json:
    """All of the screen: "steps" and "race", as the pages take them."""
    runs = Runs("ml-100k" if has_ml_100k(None) else "goodbooks", [SEED])
    learn = runs.run(SEED)
    steps = [
        _table(runs, learn),
        _finder(runs),
        _schedule(learn),
        _losses(runs, learn),
        _baselines(learn),
        _decay(runs),
        _biases(learn),
        _components(learn),
    ]
    return {"version": __version__, "data": runs.name, "steps": steps, "race": _race()}


def _table(runs: Runs, learn: Any) -> Json:
    data = learn.data
    cells = data.n_users * data.n_items
    filled = 100 * len(data.train_ratings) / cells
    return {
        "id": "table",
        "title": "A table that is almost empty",
        "sentence": f"{data.n_users:,} people and {data.n_items:,} things of {runs.name}: most pairs have no rating, "
        "and the model is to fill them in.",
        "code": f'import vectable as vt\n\ndata = vt.datasets.load("{runs.name}").to_data()\nprint(data)',
        "guess": {
            "question": "How many of 100 cells have a rating?",
            "answer": round(filled, 2),
            "unit": "of 100",
            "after": f"{len(data.train_ratings):,} training ratings in {cells:,} cells.",
        },
    }


def _finder(runs: Runs) -> Json:
    from vectable.ratings.collab import collab_learner

    found = collab_learner(runs.data(SEED), **SETTING, seed=SEED, progress=False).lr_find()
    rate = "no rate that the curve supports" if found.rate is None else f"{found.rate:.1e}"
    return {
        "id": "finder",
        "title": "How large a step?",
        "sentence": "The finder trains a few steps at growing learning rates and draws the loss. One takes a rate well "
        f"before the loss is lowest; here it suggests {rate}, and the lesson takes {LR:g}.",
        "code": "learn = vt.collab_learner(data, 40, y_range=(0, 5.5), wd=0.1)\nlearn.lr_find().plot()",
        "curve": {
            "x_label": "learning rate",
            "y_label": "loss, smoothed",
            "log_x": True,
            "series": [_series("loss", found.lrs, found.losses)],
        },
    }


def _schedule(learn: Any) -> Json:
    run = learn.recorder.runs[-1]
    steps = np.arange(1, len(run.lrs) + 1)
    highest = int(run.lrs[:, -1].argmax()) + 1
    return {
        "id": "schedule",
        "title": "One cycle",
        "sentence": f"The rate rises to {LR:g} until step {highest:,} and falls to almost nothing: large steps in the "
        "middle, small ones to settle.",
        "code": f"learn.fit_one_cycle({EPOCHS}, {LR:g})\nlearn.recorder.plot_lr()",
        "curve": {"x_label": "step", "y_label": "learning rate", "series": [_series("rate", steps, run.lrs[:, -1])]},
    }


def _losses(runs: Runs, learn: Any) -> Json:
    run = learn.recorder.runs[-1]
    steps = np.arange(1, len(run.losses) + 1)
    last = run.epochs[-1]["valid_loss"]
    lessons = f"The lesson prints {printed.VALID_LOSS[-1]:.4f} on ml-100k"
    after = (
        f"{lessons}, on another split of the same ratings."
        if runs.name == "ml-100k"
        else f"{lessons}; this is {runs.name}."
    )
    held = _series("held out", np.array(run.epoch_ends), np.array([row["valid_loss"] for row in run.epochs]))
    return {
        "id": "losses",
        "title": "Five passes over the ratings",
        "sentence": "The loss of each batch jumps about, so it is drawn smoothed; the held-out loss after each pass "
        "says what counts.",
        "code": "learn.recorder.plot_losses()",
        "curve": {
            "x_label": "step",
            "y_label": "mean squared error",
            "series": [_series("training, smoothed", steps, smooth(run.losses)), held],
        },
        "guess": {
            "question": "What is the mean squared error on held-out ratings after five passes?",
            "answer": round(float(last), 4),
            "after": after,
        },
    }


def _baselines(learn: Any) -> Json:
    from vectable.ratings.beside_baselines import baseline_errors

    found = baseline_errors(learn.data, learn.recommender.baseline)
    mean, biases = found["global mean"]["valid_loss"], found["biases"]["valid_loss"]
    ours = learn.recorder.runs[-1].epochs[-1]["valid_loss"]
    return {
        "id": "baselines",
        "title": "Is that good?",
        "sentence": f"To say the same for everybody, the mean of all ratings, errs by {mean:.4f}. To know only how "
        "kind a person and how good a thing is errs by less. Only what the model knows beyond that is taste.",
        "code": "print(learn.validate())",
        "guess": {
            "question": "What do biases of people and things alone reach?",
            "answer": round(float(biases), 4),
            "after": f"The model reaches {ours:.4f}: {'less' if ours < biases else 'no less'} than the biases alone.",
        },
    }


def _decay(runs: Runs) -> Json:
    series, last = [], {}
    for wd in DECAYS:
        epochs = runs.run(SEED, wd=wd).recorder.runs[-1].epochs
        losses = np.array([row["valid_loss"] for row in epochs])
        series.append(_series(f"weight decay {wd:g}", np.arange(1, len(losses) + 1), losses))
        last[wd] = float(losses[-1])
    best = min(last, key=lambda wd: last[wd])
    return {
        "id": "decay",
        "title": "Hold the weights back",
        "sentence": "Weight decay draws every number towards 0, so that the vectors of those with few ratings stay "
        f"small. Of {', '.join(f'{wd:g}' for wd in DECAYS)}, {best:g} is best on the held-out ratings: "
        f"{last[best]:.4f}.",
        "code": "for wd in (0.0, 0.01, 0.1):\n    vt.collab_learner(data, 40, wd=wd).fit_one_cycle(5, 5e-3)",
        "curve": {"x_label": "epoch", "y_label": "held-out mean squared error", "series": series},
    }


def _biases(learn: Any) -> Json:
    table = learn.biases(printed.TOP_FILMS)
    names = [str(one) for one in table[table.columns[0]].to_list()]
    return {
        "id": "biases",
        "title": "Liked by everybody",
        "sentence": "The bias of a thing is what is left when taste is taken away. "
        f"Highest: {'; '.join(names[:NAMED])}. Lowest: {'; '.join(names[: -NAMED - 1 : -1])}.",
        "code": f"learn.biases({printed.TOP_FILMS})",
    }


def _components(learn: Any) -> Json:
    table, shares = learn.components(2, printed.TOP_FILMS)
    ordered = [str(one) for one in table.sort("factor 0")[table.columns[0]].to_list()]
    return {
        "id": "components",
        "title": "What the factors mean",
        "sentence": "Nobody told the model what the things are. Along the direction in which the vectors differ most "
        f"stand at one end {'; '.join(ordered[:5])}, at the other {'; '.join(ordered[:-6:-1])}.",
        "code": 'learn.plot_map(path="map.png")',
        "guess": {
            "question": "How much of all variance do the first two directions hold?",
            "answer": round(float(100 * shares[:2].sum()), 1),
            "unit": "%",
            "after": "The rest lies in the other directions: a picture of two of them is never the whole.",
        },
    }


def _race() -> Json:
    found = race()
    return {
        "x": found.intercepts.tolist(),
        "y": found.slopes.tolist(),
        "z": found.errors.tolist(),
        "x_label": "intercept",
        "y_label": "slope",
        "bottom": list(found.bottom),
        "optimizers": [
            {
                "name": f"{way.name}, rate {way.lr:g}",
                "xs": way.intercepts.tolist(),
                "ys": way.slopes.tolist(),
                "losses": found.errors_of(way),
                "sentence": way.in_words(),
            }
            for way in found.ways
        ],
    }


def _series(name: str, x: Any, y: Any) -> Json:
    """A curve, thinned to what can be seen."""
    every = max(1, len(x) // DRAWN)
    return {"name": name, "x": [float(one) for one in x[::every]], "y": [float(one) for one in y[::every]]}


if __name__ == "__main__":
    write_json(Path(sys.argv[1]), lesson_steps())
