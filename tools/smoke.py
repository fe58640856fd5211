"""Use an installed vectable as its users do, once each: ratings, a table, photographs, saving, exporting, the commands.

    python tools/smoke.py        in an empty folder, with any Python that has vectable[vision,export,lab]

Prints what it did; any failure is an exception.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def ratings(folder: Path) -> None:
    """Train, recommend, explain, draw from the posterior, save and load."""
    import vectable as vt

    data = vt.datasets.load("goodbooks").to_data(valid_pct=0.1, seed=1)
    learn = vt.collab_learner(data, n_factors=8, progress=False).fit_one_cycle(2, 5e-3)
    assert learn.validate()["rmse"] < 1, learn.validate()
    assert len(learn.recommend(1200, n=3)) == 3
    again = vt.load_learner(learn.save(folder / "books"), progress=False)
    assert again.recommend(1200, n=3).equals(learn.recommend(1200, n=3))
    sure = vt.bayes_collab_learner(data, n_factors=4, n_draws=10, burn_in=5, progress=False).fit()
    assert np.isfinite(sure.validate()["rmse"])


def table(folder: Path) -> None:
    """Train, predict, save and load; export as ONNX."""
    import vectable as vt

    flights = vt.datasets.load("flights")
    learn = vt.tabular_learner(flights.to_data(), layers=[16], progress=False).fit_one_cycle(1, 1e-2)
    rows = flights.table.head(50)
    again = vt.load_learner(learn.save(folder / "flights"), progress=False)
    assert np.array_equal(np.asarray(again.predict(rows)), np.asarray(learn.predict(rows)))
    assert learn.export_onnx(folder / "flights.onnx")
    assert (folder / "flights.onnx").stat().st_size > 1000


def photographs() -> None:
    """Train the small body on the pictures that ship."""
    import vectable as vt

    clothing = vt.datasets.load("fashion").to_data()
    learn = vt.vision_learner(clothing, "fashion-small", progress=False).fit_one_cycle(1, 1e-2)
    assert learn.validate()["accuracy"] > 0.3, learn.validate()


def commands(folder: Path) -> None:
    """The command is on the path of this Python, and answers."""
    vectable = Path(sys.executable).parent / "vectable"
    for words in (["--version"], ["info", folder / "books"], ["recommend", folder / "books", "1200"], ["datasets"]):
        subprocess.run([vectable, *words], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([vectable, "lab", "workbook", "graddesc", "-o", folder / "graddesc.xlsx"], check=True)


def main() -> None:
    """Everything, in a folder of its own."""
    import vectable

    print(f"vectable {vectable.__version__} from {Path(vectable.__file__).parent}")
    with tempfile.TemporaryDirectory() as folder:
        ratings(Path(folder))
        table(Path(folder))
        photographs()
        commands(Path(folder))
    print("ratings, a table, photographs and the commands: they work")


if __name__ == "__main__":
    main()
