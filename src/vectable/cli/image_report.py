"""What commands report of a model of images: its classes, its errors, its plots, and whether it beats a guess."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectable.cli.output import make_folder, print_frame, print_table, report

if TYPE_CHECKING:
    from vectable.data.images.image_data import ImageData
    from vectable.images.vision import VisionLearner


def classes_taken(data: "ImageData") -> str:
    """A line that names the classes, and how many images each has for training."""
    import numpy as np

    counts = np.bincount(data.train.target.numpy(), minlength=len(data.classes))
    listed = ", ".join(f"{name!r} ({count:,} images)" for name, count in zip(data.classes, counts, strict=True))
    return f"Classes: {listed}."


def print_measured(learn: "VisionLearner", measured: dict[str, Any]) -> None:
    """The errors as a table, and what is taken for what."""
    import polars as pl

    shown = {name: value for name, value in measured.items() if name != "beats_baselines"}
    print_table(pl.DataFrame([shown]), "On the held-out images")
    if len(learn.data.valid):
        print_frame(learn.confusion_matrix(), False, "Rows: the class; columns: the prediction")


def report_verdict(measured: dict[str, Any]) -> None:
    """A line where the model is not better than always predicting the commonest class."""
    from vectable.images.beside_guess import not_better

    verdict = not_better(measured)
    if verdict is not None:
        report(f"note: {verdict}")


def draw_training(learn: "VisionLearner", folder: Path) -> None:
    """The worst mistakes, and where it was trained just now a batch and its losses, as PNG files."""
    folder = make_folder(folder)
    if len(learn.data.valid):
        learn.plot_top_losses(path=str(folder / "worst.png"))
    if len(learn.data.train):
        learn.data.show_batch(path=str(folder / "batch.png"))
        learn.recorder.plot_losses(path=str(folder / "losses.png"))


def draw_inside(learn: "VisionLearner", folder: Path) -> None:
    """The confusion matrix, the first filters, what excites the last maps, and the worst mistake, as PNG files."""
    learn.plot_confusion(path=str(folder / "confusion.png"))
    learn.filters().plot(path=str(folder / "filters.png"))
    learn.top_activating_patches().plot(path=str(folder / "patches.png"))
    worst = learn.top_losses(1)["photograph"].item()
    learn.grad_cam(worst).plot(path=str(folder / "worst_class_map.png"))
    learn.similar_images(worst).plot(path=str(folder / "worst_similar.png"))
