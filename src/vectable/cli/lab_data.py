"""Where the lab's commands find their data: the data directory, and what stands in where it is absent."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from vectable.cli.output import report
from vectable.errors import DataError

DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder that holds mnist/, ml-100k/, lesson_xl/; by default the one named by VECTABLE_DATA."
    ),
]


def load_digits(data: Path | None) -> tuple[Any, str]:
    """x, y, x to validate, y to validate; and what they are."""
    folder = data_folder(data, "mnist", must_exist=False)
    if folder is not None:
        from vectable.lab.idx import read_mnist

        return read_mnist(folder), "MNIST"
    import numpy as np
    from sklearn.datasets import load_digits as shipped

    report("note: no MNIST here (--data or VECTABLE_DATA): scikit-learn's 1,797 small digits instead, so few batches.")
    bunch = shipped()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    x, y = bunch.data[order] / 16, bunch.target[order]
    return (x[:1500], y[:1500], x[1500:], y[1500:]), "scikit-learn's digits"


def data_folder(data: Path | None, name: str, must_exist: bool = True) -> Any:
    """The folder of that name in the data directory; None where it is absent and need not exist.

    Raises:
        DataError: the directory was named and has none, or it must exist.
    """
    given = data if data is not None else os.environ.get("VECTABLE_DATA")
    folder = Path(given) / name if given else None
    if folder is not None and folder.is_dir():
        return folder
    if must_exist or data is not None:
        where = f"{str(given)!r} has no folder {name!r}" if given else f"no data directory is known for {name!r}"
        raise DataError(f"{where[0].upper()}{where[1:]}; name the folder that holds it with --data or VECTABLE_DATA.")
    return None
