"""`vectable train images`: from folders of photographs, a folder per class, to a saved model that tells them apart."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from vectable.cli.completing import complete_one_of
from vectable.cli.gathering import grouped
from vectable.cli.image_report import classes_taken, draw_training, print_measured, report_verdict
from vectable.cli.options import AsJson, ModelFolder, Plots, Preset, Quiet, Seed, ValidPct, numbers_in
from vectable.cli.output import print_json, progress_console, report
from vectable.cli.training import Saved, Watching, outcome, report_kept, report_stopped, stoppable
from vectable.errors import VectableError

if TYPE_CHECKING:
    from vectable.data.images.image_data import ImageData
    from vectable.images.vision import VisionLearner


@dataclass(frozen=True)
class ImageSource:
    """Where the images are, and which are held out."""

    panel: ClassVar[str] = "Images"

    valid: Annotated[
        str | None,
        typer.Option(help="Folder of validation images, besides the one named by --train; or the table's column."),
    ] = None
    train: Annotated[str, typer.Option(help="Folder of training images, where --valid names another.")] = "train"
    valid_pct: ValidPct = 0.2
    folder: Annotated[
        Path | None, typer.Option(help="Folder that a table's file names start from; by default the table's own.")
    ] = None
    file: Annotated[str | None, typer.Option(help="The table's column of file names; by default the first.")] = None
    label: Annotated[str | None, typer.Option(help="The table's column of classes; by default the second.")] = None
    size: Annotated[int, typer.Option(help="Side of the square that the model sees, in pixels.")] = 224
    batch_size: Annotated[int, typer.Option(help="Images per step.")] = 16
    augment: Annotated[bool, typer.Option(help="Whether training flips, crops and brightens at random.")] = True
    on_bad: Annotated[
        str,
        typer.Option(
            help="Files that cannot be read: skip, which reports them, or raise.",
            autocompletion=complete_one_of("skip", "raise"),
        ),
    ] = "skip"

    def read(self, path: Path, seed: int) -> "ImageData":
        """The images in a folder, or those that a table names."""
        from vectable import ImageData
        from vectable.data.images.image_files import SUFFIXES

        how: dict[str, Any] = {name: getattr(self, name) for name in ("size", "batch_size", "augment", "on_bad")}
        if path.suffix.lower() in SUFFIXES and path.is_file():
            raise VectableError(
                f"{str(path)!r} is one photograph: name the folder that holds a folder per class, or a table of files."
            )
        if path.is_file():
            where = self.folder, self.file, self.label
            return ImageData.from_csv(path, *where, self.valid, self.valid_pct, seed=seed, **how)
        for option in ("folder", "file", "label"):
            if getattr(self, option) is not None:
                raise VectableError(f"--{option} belongs to a table of photographs, and {str(path)!r} is not a file.")
        return ImageData.from_folder(path, self.train, self.valid, self.valid_pct, seed=seed, **how)

    def columns_taken(self, path: Path) -> str | None:
        """A line that names a table's columns of files and classes; None for a folder."""
        from vectable.data.io.files import read_table

        if not path.is_file():
            return None
        names = read_table(path).columns
        return f"Columns: files from {self.file or names[0]!r}, classes from {self.label or names[1]!r}."


@dataclass(frozen=True)
class Backbone:
    """The net, and how it is trained: a new head first, then all of it."""

    panel: ClassVar[str] = "Model and training"

    arch: Annotated[str, typer.Option(help="Backbone: a name from timm, or fashion-small.")] = "resnet34"
    weights: Annotated[Path | None, typer.Option(help="File with the backbone's weights, instead of the hub's.")] = None
    pretrained: Annotated[bool, typer.Option(help="Whether the backbone starts from published weights.")] = True
    epochs: Annotated[int, typer.Option(min=0, help="Epochs that train the new head alone.")] = 2
    lr: Annotated[float, typer.Option(help="Highest learning rate of these.")] = 1e-3
    whole_epochs: Annotated[int, typer.Option(min=0, help="Epochs that train the whole net afterwards.")] = 3
    whole_lr: Annotated[
        str, typer.Option(help="LOW,HIGH learning rates of these, first layers to last; or one for all.")
    ] = "1e-6,2e-4"
    preset: Preset = "modern"

    @property
    def whole_rates(self) -> Any:
        """The learning rates of the whole net: a number, or a slice from the first layers to the last."""
        rates = numbers_in(self.whole_lr, float, "--whole-lr")
        if len(rates) > 2:
            raise VectableError(f"--whole-lr is {self.whole_lr!r}; give one learning rate, or LOW,HIGH.")
        return slice(*rates) if len(rates) == 2 else rates[0]

    def check(self) -> None:
        """Refuse what cannot be trained, before any image is read."""
        if not self.epochs + self.whole_epochs:
            raise VectableError("--epochs and --whole-epochs are both 0: nothing would be trained.")
        if not self.lr > 0:
            raise VectableError(f"--lr is {self.lr:g}; a learning rate must be positive.")


@grouped
def images(
    photographs: Annotated[Path, typer.Argument(help="Folder with a folder per class; or a table that names files.")],
    source: ImageSource,
    backbone: Backbone,
    watching: Watching,
    out: ModelFolder = Path("model"),
    seed: Seed = 42,
    plots: Plots = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a net to classify images: a new head first, then all of it with small steps.

    [bold]Example:[/bold] vectable train images flowers -o model        vectable train images ants --valid val
    """
    from vectable import vision_learner
    from vectable.artifact import check_target

    check_target(out)
    backbone.check()
    watching.check()
    rates = backbone.whole_rates
    data = source.read(photographs, seed)
    for line in (source.columns_taken(photographs), classes_taken(data)):
        if line is not None:
            report(line)
    start = backbone.arch, backbone.pretrained, backbone.weights
    learn = vision_learner(data, *start, preset=backbone.preset, seed=seed, progress=progress_console(quiet))
    if not quiet:
        report(repr(data))
    with stoppable() as stop:
        _train(learn, backbone, rates, watching, quiet)
    report_stopped(learn, watching)
    _finish(learn, out, plots, stop.code, as_json)


def _train(learn: "VisionLearner", backbone: Backbone, rates: Any, watching: Watching, quiet: bool) -> None:
    """The head, then the whole net; all of it at once where it starts at random."""

    def fit(epochs: int, lr: Any, part: str) -> None:
        learn.fit_one_cycle(epochs, lr, watching.callbacks(learn), **watching.checkpoints(part))
        report_kept(learn, watching, epochs, quiet)

    if learn.frozen == 0:  # the backbone starts at random
        fit(backbone.epochs + backbone.whole_epochs, backbone.lr, "whole")
        return
    if backbone.epochs:
        fit(backbone.epochs, backbone.lr, "head")
    if backbone.whole_epochs and not learn.recorder.interrupted:
        learn.unfreeze()
        fit(backbone.whole_epochs, rates, "whole")


def _finish(learn: "VisionLearner", out: Path, plots: Path | None, stopped: int, as_json: bool) -> None:
    """Save what was trained, and report how good it is."""
    from vectable.images.beside_guess import measure

    saved = Saved.of(learn, out)
    measured = measure(learn)
    saved.keep(measured, measured.get("beats_baselines"))
    if plots is not None:
        draw_training(learn, plots)
    if as_json:
        print_json({**outcome(saved, learn), **measured})
    else:
        print_measured(learn, measured)
        print(f"Saved to {saved.folder}. Next: vectable predict {saved.folder} PHOTOGRAPH")
    report_verdict(measured)
    if learn.recorder.interrupted:
        raise typer.Exit(stopped)
