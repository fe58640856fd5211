"""Commands about photographs: `train images`, and what predict, info and insight say of such a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.output import (
    kept_in,
    make_folder,
    print_frame,
    print_json,
    print_rows,
    print_table,
    progress_console,
    tell,
)
from vectable.errors import DataError, VectableError

if TYPE_CHECKING:
    import polars as pl

    from vectable.data.images.image_data import ImageData
    from vectable.images.vision import VisionLearner

TOGETHER = 256  # photographs decoded before they are predicted


def images(
    photographs: Annotated[Path, typer.Argument(help="Folder with a folder a class; or a table that names the files.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to save the model in.")] = Path("model"),
    valid: Annotated[
        str | None,
        typer.Option(help="Folder in it to measure on, beside the one named by --train; or the table's column."),
    ] = None,
    train: Annotated[str, typer.Option(help="Folder in it to train on, where --valid names another.")] = "train",
    valid_pct: Annotated[float, typer.Option(help="Share held out where --valid names none, 0 to 1.")] = 0.2,
    folder: Annotated[Path | None, typer.Option(help="Where a table's names begin; by default its own folder.")] = None,
    file: Annotated[str | None, typer.Option(help="The table's column of names; by default the first.")] = None,
    label: Annotated[str | None, typer.Option(help="The table's column of classes; by default the second.")] = None,
    arch: Annotated[str, typer.Option(help="Body: a name of timm's, or fashion-small.")] = "resnet34",
    weights: Annotated[Path | None, typer.Option(help="File with the body's weights, in place of timm's hub.")] = None,
    pretrained: Annotated[bool, typer.Option(help="Whether the body knows pictures already.")] = True,
    size: Annotated[int, typer.Option(help="Side of the square that the model sees, in pixels.")] = 224,
    batch_size: Annotated[int, typer.Option(help="Photographs a step.")] = 16,
    augment: Annotated[bool, typer.Option(help="Whether training flips, crops and brightens at random.")] = True,
    on_bad: Annotated[str, typer.Option(help="Files that cannot be read: skip, which tells them, or raise.")] = "skip",
    epochs: Annotated[int, typer.Option(min=0, help="Times through the photographs for the new head.")] = 2,
    lr: Annotated[float, typer.Option(help="Highest learning rate of these.")] = 1e-3,
    whole_epochs: Annotated[int, typer.Option(min=0, help="Times through them for the whole net, afterwards.")] = 3,
    whole_lr: Annotated[
        str, typer.Option(help="LOW,HIGH learning rates of these, first layers to last; or one for all.")
    ] = "1e-6,2e-4",
    preset: Annotated[str, typer.Option(help="modern or lesson.")] = "modern",
    seed: Annotated[int, typer.Option(help="Of the split, the start, the batches and augmentation.")] = 42,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Folder to keep the training in while it runs; after a crash the same command goes on there."
        ),
    ] = None,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for pictures: a batch, losses, the worst mistakes.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a net to tell classes of photographs apart: a new head first, then all of it with small steps.

    [bold]Example:[/bold] vectable train images flowers -o model        vectable train images ants --valid val
    """
    from vectable.artifact import check_target
    from vectable.images.vision import vision_learner

    check_target(out)
    rates = _rates(whole_lr)
    if not epochs + whole_epochs:
        raise VectableError("--epochs and --whole-epochs are both 0: nothing would be trained.")
    if not lr > 0:
        raise VectableError(f"--lr is {lr:g}; a learning rate is above 0.")
    how: dict[str, Any] = {"size": size, "batch_size": batch_size, "augment": augment, "on_bad": on_bad, "seed": seed}
    data = _read(photographs, train, valid, valid_pct, folder, file, label, **how)
    console = progress_console(quiet)
    learn = vision_learner(data, arch, pretrained, weights, preset=preset, seed=seed, progress=console)
    console.print(f"{data!r}", highlight=False)
    if learn.frozen == 0:  # nothing is known yet: all of it learns from the start
        learn.fit_one_cycle(epochs + whole_epochs, lr, **kept_in(checkpoint, "whole"))
    else:
        if epochs:
            learn.fit_one_cycle(epochs, lr, **kept_in(checkpoint, "head"))
        if whole_epochs and not learn.recorder.interrupted:
            learn.unfreeze().fit_one_cycle(whole_epochs, rates, **kept_in(checkpoint, "whole"))
    saved = learn.save(out)
    measured = learn.validate()
    if plots is not None:
        _draw(learn, plots)
    if as_json:
        print_json({"model": str(saved), "interrupted": learn.recorder.interrupted, **measured})
    else:
        _print_measured(learn, measured)
        print(f"Saved to {saved}. Next: vectable predict {saved} PHOTOGRAPH")
    if learn.recorder.interrupted:
        raise typer.Exit(130)


def predict_photographs(model: Path, photographs: list[Path], out: Path | None, as_json: bool) -> None:
    """The class and the probabilities of each photograph; files that are none are told, and the exit code says so."""
    learn = _load(model)
    table, told = _predicted(learn, [one for path in photographs for one in _files(path)])
    if len(table) == 0:
        raise DataError(" ".join(told))
    for problem in told:
        tell(f"vectable: {problem}")
    print_rows(table, out, as_json)
    if told:
        raise typer.Exit(1)


def about_photographs(model: Path, manifest: dict[str, Any], as_json: bool) -> None:
    """What a saved model of photographs is, and how its last epoch ended; the photographs are not in the folder."""
    learn = _load(model)
    rows = learn.recorder.to_frame().tail(1).to_dicts()
    measured = {name: value for row in rows for name, value in row.items() if name not in ("run", "model", "epoch")}
    if as_json:
        about = {key: manifest[key] for key in ("kind", "saved", "format_version", "versions", "settings")}
        print_json({**about, "errors": measured})
        return
    recipe, settings = learn.recipe, manifest["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    size = sum(one.numel() for one in learn.model.parameters())
    print(f"{recipe.arch or 'a module of your own'} with a head of {recipe.width}, {size:,} parameters")
    print(f"tells apart {', '.join(recipe.classes)}; sees {recipe.size} x {recipe.size} pixels")
    print(
        f"preset {settings['preset']}, wd {settings['wd']}, seed {settings['seed']}, {settings['epochs_done']} epochs, "
        f"{settings['frozen']} of {settings['layer_groups']} layer groups frozen"
    )
    print(f"saved {manifest['saved']} with {versions}, format {manifest['format_version']}\n")
    if measured:
        print_table(_as_row(measured), "Last epoch, on the held-out photographs")


def mistakes_on_photographs(model: Path, photographs: Path | None, n: int, plots: Path | None, as_json: bool) -> None:
    """Confusion matrix and worst mistakes on a folder of photographs, a folder a class."""
    learn = _load_with(model, photographs)
    measured, worst = learn.validate(), learn.top_losses(n)
    if plots is not None:
        _draw(learn, plots)
        _draw_inside(learn, plots)
    if as_json:
        print_json({**measured, "confusion": learn.confusion_matrix().to_dicts(), "worst": worst.to_dicts()})
        return
    _print_measured(learn, measured)
    print_table(worst, "The largest losses")


def similar_photographs(
    model: Path, photograph: Path, photographs: Path | None, n: int, out: Path | None, as_json: bool
) -> None:
    """The photographs of a folder, a folder a class, that the net sees as most like one."""
    from vectable.data.io.writing import write_table

    learn = _load_with(model, photographs)
    table = learn.similar_images(photograph, n).table.drop("set", "row")
    if out is not None:
        write_table(table, out)
        tell(f"{len(table):,} rows written to {out}")
    else:
        print_frame(table, as_json, f"Like {photograph}")


def _load_with(model: Path, photographs: Path | None) -> "VisionLearner":
    """A model with photographs to look at."""
    from vectable.data.images.image_data import ImageData

    if photographs is None:
        raise VectableError(
            "The photographs are not in the saved folder: name some to look at with --photographs FOLDER, which has a "
            "folder a class."
        )
    learn = _load(model)
    learn.data = ImageData.for_measuring(photographs, learn.classes, learn.recipe.size)
    return learn


def _read(
    photographs: Path, train: str, valid: str | None, valid_pct: float, folder: Path | None, file: str | None,
    label: str | None, **how: Any,
) -> "ImageData":  # fmt: skip
    from vectable.data.images.image_data import ImageData
    from vectable.data.images.image_files import SUFFIXES

    if photographs.suffix.lower() in SUFFIXES and photographs.is_file():
        raise VectableError(
            f"{str(photographs)!r} is one photograph: name the folder that holds a folder a class, or a table of files."
        )
    if photographs.is_file():
        return ImageData.from_csv(photographs, folder, file, label, valid, valid_pct, **how)
    for option, value in (("--folder", folder), ("--file", file), ("--label", label)):
        if value is not None:
            raise VectableError(f"{option} belongs to a table of photographs, and {str(photographs)!r} is no file.")
    return ImageData.from_folder(photographs, train, valid, valid_pct, **how)


def _rates(text: str) -> Any:
    from vectable.cli.train import numbers

    rates = numbers(text, float, "--whole-lr")
    if len(rates) > 2:
        raise VectableError(f"--whole-lr is {text!r}; give one learning rate, or LOW,HIGH.")
    return slice(*rates) if len(rates) == 2 else rates[0]


def _load(model: Path) -> "VisionLearner":
    from vectable.images.vision import VisionLearner
    from vectable.loading import load_learner

    learn = load_learner(model, progress=False)
    if not isinstance(learn, VisionLearner):
        raise VectableError(f"{str(model)!r} is not a model of photographs.")
    return learn


def _files(path: Path) -> list[Path]:
    """A file as it is; of a folder, the pictures below it."""
    from vectable.data.images.image_files import SUFFIXES

    if not path.is_dir():
        return [path]
    found = [one for one in sorted(path.rglob("*")) if one.suffix.lower() in SUFFIXES]
    if not found:
        raise DataError(f"There is no picture in the folder {str(path)!r}.")
    return found


def _predicted(learn: "VisionLearner", paths: list[Path]) -> "tuple[pl.DataFrame, list[str]]":
    """A row a photograph that can be read, and a sentence for each that cannot."""
    import polars as pl

    from vectable.data.images.image_decoding import decode_image

    columns = ["photograph", "prediction", *(f"probability of {name}" for name in learn.classes)]
    rows: list[tuple[Any, ...]] = []
    told = []
    for first in range(0, len(paths), TOGETHER):
        good, pictures = [], []
        for path in paths[first : first + TOGETHER]:
            try:
                pictures.append(decode_image(path, learn.recipe.size))
                good.append(path)
            except DataError as problem:
                told.append(str(problem))
        for path, one in zip(good, learn.predict(pictures), strict=True):
            rows.append((str(path), one.label, *one.probabilities.values()))
    types = [pl.String, pl.String, *[pl.Float64] * len(learn.classes)]
    return pl.DataFrame(rows, schema=dict(zip(columns, types, strict=True)), orient="row"), told


def _print_measured(learn: "VisionLearner", measured: dict[str, Any]) -> None:
    print_table(_as_row(measured), "On the held-out photographs")
    if len(learn.data.valid):
        print_frame(learn.confusion_matrix(), False, "Rows: what it is; columns: what the model says")


def _as_row(measured: dict[str, Any]) -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame([measured])


def _draw(learn: "VisionLearner", folder: Path) -> None:
    """The worst mistakes, and where it was trained just now a batch and its losses, as PNG files."""
    folder = make_folder(folder)
    if len(learn.data.valid):
        learn.plot_top_losses(path=str(folder / "worst.png"))
    if len(learn.data.train):
        learn.data.show_batch(path=str(folder / "batch.png"))
        learn.recorder.plot_losses(path=str(folder / "losses.png"))


def _draw_inside(learn: "VisionLearner", folder: Path) -> None:
    """The confusion matrix, the first filters, what excites the last maps, and the worst mistake, as PNG files."""
    learn.plot_confusion(path=str(folder / "confusion.png"))
    learn.filters().plot(path=str(folder / "filters.png"))
    learn.exciting_patches().plot(path=str(folder / "patches.png"))
    worst = learn.top_losses(1)["photograph"].item()
    learn.class_map(worst).plot(path=str(folder / "worst_class_map.png"))
    learn.similar_images(worst).plot(path=str(folder / "worst_similar.png"))
