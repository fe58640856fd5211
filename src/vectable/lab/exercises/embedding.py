"""Exercise: an embedding is a product with a one-hot matrix, and its gradient."""

from typing import Any

import numpy as np

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

SOURCE = '''import numpy as np


def one_hot(codes, n):
    """A row for each code, (rows, n): 1 at its place, 0 elsewhere."""
    return np.eye(n)[codes]  #!


def lookup(table, codes):
    """The rows of the table that the codes name; equals one_hot(codes, len(table)) @ table."""
    return table[codes]  #!


def lookup_gradient(table, codes, gradient):
    """The gradient by the table, of its shape, where `gradient` is that by the rows looked up."""
    total = np.zeros_like(table)  #!
    np.add.at(total, codes, gradient)  #!
    return total  #!
'''
TABLE = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
CODES = np.array([2, 0, 2, 3])
GRADIENT = np.array([[1.0, 0.0], [0.5, 1.0], [10.0, -1.0], [0.0, 2.0]])


def _one_hot(answer: Any) -> dict[str, Any]:
    return {"one_hot(codes, 4)": answer.one_hot(CODES, 4)}


def _lookup(answer: Any) -> dict[str, Any]:
    return {"lookup(table, codes)": answer.lookup(TABLE, CODES)}


def _gradient(answer: Any) -> dict[str, Any]:
    return {"lookup_gradient(table, codes, gradient)": answer.lookup_gradient(TABLE, CODES, GRADIENT)}


EXERCISE = Exercise(
    name="embedding",
    title="An embedding is a one-hot product",
    task="Look rows up in a table, as a product and directly, and send the gradient back to them.",
    page="lesson/embeddings",
    source=SOURCE,
    checks=(
        Check("one-hot rows", _one_hot, "np.eye(n) has all of them."),
        Check("rows looked up", _lookup, "NumPy takes an array as an index."),
        Check("the gradient", _gradient, "Code 2 comes twice: what does its row of the table get?"),
    ),
    mistakes=(
        Mistake(
            "Where a code comes twice, one gradient replaces the other; they have to add up (also with +=).",
            {"np.add.at(total, codes, gradient)": "total[codes] = gradient"},
        ),
        Mistake(
            "That is the gradient by the rows looked up; each has to go to its row of the table.",
            {
                "    total = np.zeros_like(table)\n": "",
                "    np.add.at(total, codes, gradient)\n": "",
                "    return total": "    return gradient",
            },
        ),
        Mistake("Rows and columns are swapped.", {"np.eye(n)[codes]": "np.eye(n)[codes].T"}),
    ),
)
