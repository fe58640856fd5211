"""Exercise: principal components by the singular value decomposition."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import numpy as np


def components(rows, k):
    """The k directions in which the rows vary most, (k, width), and their shares of the variance, (k,)."""
    centered = rows - rows.mean(axis=0)  #!
    _, sizes, directions = np.linalg.svd(centered, full_matrices=False)  #!
    return directions[:k], (sizes**2 / (sizes**2).sum())[:k]  #!
'''


def _found(answer: Any) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(40, 4)) * np.array([3.0, 1.0, 0.2, 0.1]) @ rng.normal(size=(4, 4)) + 7
    directions, shares = answer.components(rows, 2) or (np.zeros((2, 4)), None)
    directions = np.asarray(directions)
    rows_alike = directions @ directions.T if directions.ndim == 2 else directions
    projection = directions.T @ directions if directions.ndim == 2 else directions
    return {
        "the shares of the variance": shares,
        "the products of the directions with each other": rows_alike,
        "the projection on the directions": projection,
    }


EXERCISE = Exercise(
    name="components",
    title="Principal components",
    task="Find the directions in which factors vary most, from a singular value decomposition. Signs do not matter.",
    page="lesson/components",
    source=SOURCE,
    checks=(
        Check(
            "forty rows of four numbers", _found, "np.linalg.svd returns the directions as rows, largest first.", 1e-8
        ),
    ),
    mistakes=(
        Mistake("The mean of the rows has to be taken off first.", {"rows - rows.mean(axis=0)": "rows"}),
        Mistake(
            "Variance goes with the squares of the singular values.",
            {"sizes**2 / (sizes**2).sum()": "sizes / sizes.sum()"},
        ),
        Mistake(
            "Each row is centered by its own mean; take that of each column.",
            {"rows.mean(axis=0)": "rows.mean(axis=1, keepdims=True)"},
        ),
    ),
)
