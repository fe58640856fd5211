"""How good a model of images is, compared with always predicting the commonest class."""

from typing import Any

import numpy as np

from vectable.images.vision import VisionLearner

GUESS = "accuracy of the commonest class"


def measure(learn: VisionLearner) -> dict[str, Any]:
    """Loss and accuracy on the held-out images, and the accuracy of always predicting the commonest class."""
    measured: dict[str, Any] = dict(learn.validate())
    held_out = learn.data.valid.target.numpy()
    if len(np.unique(held_out)) > 1:
        measured[GUESS] = float(np.bincount(held_out).max() / len(held_out))
        measured["beats_baselines"] = measured["accuracy"] > measured[GUESS]
    return measured


def not_better(measured: dict[str, Any]) -> str | None:
    """A sentence where the model is not better than always predicting the commonest class; else None."""
    if measured.get("beats_baselines") is not False:
        return None
    return (
        f"This model does not beat the simplest guess: its accuracy on the held-out images is "
        f"{measured['accuracy']:.1%}, and always predicting the commonest class has {measured[GUESS]:.1%}. Do not "
        "rely on it: train longer or at another learning rate, and look at the images (--plots)."
    )
