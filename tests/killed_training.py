"""Learners of every kind, made alike in every process, and a program that trains one and is killed when told.

python killed_training.py KIND FOLDER after STEPS        killed when so many steps of the fit are done
python killed_training.py KIND FOLDER writing FILES      killed when so many files of checkpoints are on the disk
python killed_training.py KIND FOLDER never 0            not at all; goes on where an earlier one was killed
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

import vectable as vt
from vectable.models.ensemble import Ensemble
from vectable.training.checkpoints import CheckpointWriter

EVERY = 5  # steps from one checkpoint to the next


def ratings(**options: Any) -> vt.CollabLearner:
    rng = np.random.default_rng(0)
    pairs = rng.permutation(60 * 40)[:1500]
    table = {"user": pairs // 40, "item": pairs % 40, "rating": rng.integers(1, 6, 1500).astype(float)}
    data = vt.RatingsData.from_df(pl.DataFrame(table), batch_size=32)
    return vt.collab_learner(data, n_factors=4, progress=False, **options)


def table(**options: Any) -> vt.TabularLearner:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"c": rng.choice(list("abcde"), 600), "x": rng.normal(size=600), "y": rng.choice(["n", "y"], 600)}
    )
    data = vt.TableData.from_df(frame, "y", batch_size=32)
    callbacks = [vt.RestoreBest(), vt.EarlyStopping(patience=2)]
    how = {"layers": [16], "ps": [0.3], "emb_drop": 0.2, "masking": 0.1, "callbacks": callbacks, "progress": False}
    return vt.tabular_learner(data, **{**how, **options})


def images() -> vt.Learner:
    """A tiny convolutional net over photographs, with augmentation and dropout."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (20, 24, 3)).astype(np.uint8) for _ in range(72)]
    target = torch.arange(72) % 2

    def rows(first: int, last: int, augment: bool) -> Any:
        from vectable.data.images.image_data import ImageRows

        return ImageRows([Path()] * (last - first), pictures[first:last], target[first:last], 16, augment)

    data = vt.ImageData(rows(0, 60, True), rows(60, 72, False), ["ant", "bee"], batch_size=8)
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(4),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(64, 2),
    )  # fmt: skip
    return vt.Learner(data, _Colours(net), nn.CrossEntropyLoss(), splitter=lambda one: [one.net[:4], one.net[4:]],
                      accumulate=3, train_bn=False, progress=False)  # fmt: skip


def nets() -> vt.Learner:
    """Two small nets, in 16 bits."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    x = rng.normal(size=(300, 2)) + y[:, None]
    members = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        members.append(nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)))
    data = vt.TensorData.from_arrays(x[:-60], y[:-60], x[-60:], y[-60:], bs=16)
    ensemble = Ensemble(members, logits=True)
    return vt.Learner(data, ensemble, nn.CrossEntropyLoss(), opt="momentum", precision="bf16", progress=False)


def fine_tuned() -> vt.Learner:
    """A pretrained body, whose convolutions lie channel by channel in memory."""
    clothing = vt.datasets.load("fashion")
    data = clothing.to_data(classes=["Pullover", "Coat"], per_class=20, batch_size=8)
    return vt.vision_learner(data, "fashion-small", progress=False)


class _Colours(nn.Module):
    def __init__(self, net: nn.Sequential) -> None:
        super().__init__()
        self.net = net

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.net(pictures.float() / 255)  # type: ignore[no-any-return]


KINDS: dict[str, Callable[[], vt.Learner]] = {
    "ratings": lambda: ratings(threads=1),
    "ratings by two threads": lambda: ratings(threads=2),
    "ratings, two models": lambda: ratings(n_models=2),
    "millions of ratings": lambda: ratings(engine="sgd", n_models=2),
    "table": table,
    "table by the lesson": lambda: table(preset="lesson"),
    "images": images,
    "two nets in 16 bits": nets,
    "a pretrained body": fine_tuned,
    "a pretrained body, two cores": fine_tuned,
}


def cores(kind: str) -> int:
    """How many torch computes with."""
    return 2 if kind.endswith("two cores") else 1


def train(learn: vt.Learner, folder: str | Path | None = None, resume: bool = False, n_cores: int = 1) -> vt.Learner:
    """What every process does: one fit of the head, where there is one, and one of everything."""
    torch.set_num_threads(n_cores)
    kept: Sequence[Any] = [vt.Checkpoint(Path(folder, part), steps=EVERY) if folder else None for part in ("a", "b")]
    if len(learn.layer_groups) > 1:
        learn.freeze()
    learn.fit(1, 5e-3, checkpoint=kept[0], resume=resume)
    learn.unfreeze()
    learn.fit_one_cycle(3, slice(1e-2), checkpoint=kept[1], resume=resume)
    return learn


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(kind: str, folder: str, when: str, count: int) -> None:
    done = 0
    after, fsync = CheckpointWriter.after, os.fsync

    def counted(self: CheckpointWriter, n_steps: int, *where: Any) -> None:
        nonlocal done
        done += n_steps
        if when == "after" and done >= count:
            die()
        after(self, n_steps, *where)

    def synced(file: int) -> None:
        nonlocal done
        done += 1
        if when == "writing" and done >= count:
            die()
        fsync(file)

    if when == "writing":
        os.fsync = synced
    elif when == "after":
        CheckpointWriter.after = counted  # type: ignore[method-assign]
    train(KINDS[kind](), folder, resume=True, n_cores=cores(kind))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
