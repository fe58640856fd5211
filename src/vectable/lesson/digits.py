"""The lesson's digits: the update loop with several optimizers, and one epoch of one cycle."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vectable.data.tensors import TensorData
from vectable.lab.averages import ewma
from vectable.lab.digits import Run, compare_on_digits
from vectable.lab.idx import read_mnist
from vectable.lesson import printed
from vectable.lesson.rows import Row, spread
from vectable.training.learner import Learner

COMMAND = "vectable lab lesson --only digits"
LOW = 0.5


def rows(folder: Path, seeds: Sequence[int]) -> list[Row]:
    """All of them, over seeds."""
    x, y, x_valid, y_valid = read_mnist(folder)
    over = f"mean ± sd over {len(seeds)} seeds" if len(seeds) > 1 else "one seed"
    data = TensorData.from_arrays(x, y, x_valid, y_valid)
    ends = [_one_cycle(data, seed) for seed in seeds]
    found = [
        Row("digits", f"one cycle, {what}", f"{lessons:.4f}", spread([end[what] for end in ends]), over, COMMAND)
        for what, lessons in printed.DIGITS.items()
    ]
    runs = [{run.name: run for run in compare_on_digits(x, y, x_valid, y_valid, seed=seed)} for seed in seeds]

    def add(what: str, lessons: str, values: list[float], note: str, digits: int = 3) -> None:
        ours = spread(values, digits)
        found.append(Row("digits", what, lessons, ours, f"{over}; {note}", "vectable lab descend --digits"))

    smooth = "its curve read off the picture; ours the smoothed loss after the epoch"
    add("update loop, SGD 2e-2, loss at the end", "about 0.5", [one["SGD 2e-2"].last for one in runs], smooth)
    for kind in ("Adam", "new Adam every step,"):
        both = [one[f"{kind} 1e-3"] for one in runs]
        note = f"{smooth}; the notebook makes a new Adam in every update" if kind != "Adam" else smooth
        add(f"update loop, {kind} 1e-3, batch below {LOW}", "about 200", [_first_below(run) for run in both], smooth, 0)
        add(f"update loop, {kind} 1e-3, loss at the end", "", [run.last for run in both], note)
        kept = "an Adam that keeps its averages gets down even at this rate"
        renewed = "it never settles, each step being the rate times a sign, but it does not run away either"
        add(
            f"update loop, {kind} 2e-2, loss at the end",
            "diverged",
            [one[f"{kind} 2e-2"].last for one in runs],
            kept if kind == "Adam" else renewed,
        )
    return found


def _one_cycle(data: TensorData, seed: int) -> dict[str, float]:
    """784-50-10, one epoch of one cycle up to 1e-2, by the lesson's preset."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 10))
    learn = Learner(data, model, nn.CrossEntropyLoss(), ["accuracy"], preset="lesson", seed=seed, progress=False)
    learn.fit_one_cycle(1, 1e-2)
    end = learn.recorder.runs[-1].epochs[-1]
    training = float(learn.recorder.smoothed[-1])
    return {"training loss": training, "validation loss": end["valid_loss"], "accuracy": end["accuracy"]}


def _first_below(run: Run) -> float:
    below = np.flatnonzero(ewma(run.losses, 0.9, debias=True) < LOW)
    return float(below[0]) if len(below) else float(len(run.losses))
