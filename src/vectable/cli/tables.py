"""Commands about tables of mixed columns: `train table`, and what predict, insight, info and lr-find say of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.output import kept_in, make_folder, print_json, print_rows, print_table, progress_console, tell
from vectable.errors import DataError, VectableError, require, require_columns

if TYPE_CHECKING:
    import polars as pl

    from vectable.data.tables.table_data import TableData
    from vectable.insight.calibration import Calibration
    from vectable.tables.tabular import TabularLearner
    from vectable.training.lr_finder import FoundRates

MOST_MAPPED = 300  # values of a column whose map can still be read

File = Annotated[str, typer.Argument(help="CSV, TSV, Parquet or Arrow file; or the name of a data set, as adult.")]
Target = Annotated[
    list[str] | None,
    typer.Option("--target", "-t", help="Column to predict; again for several numbers at once."),
]
Cats = Annotated[str | None, typer.Option(help="Columns of categories, separated by commas.")]
Conts = Annotated[
    str | None, typer.Option(help="Columns of numbers. With --cats and --conts no other columns are used.")
]
Dates = Annotated[str | None, typer.Option(help="Columns of dates, which are taken apart.")]
TargetKind = Annotated[str | None, typer.Option(help="classes or numbers; by default found by looking.")]
LogTarget = Annotated[bool, typer.Option("--log-target", help="Learn the logarithm of 1 + the number.")]
Bins = Annotated[str, typer.Option(help="Bins for the numbers: tree, quantile or none.")]
Layers = Annotated[str, typer.Option(help="Widths of the hidden layers.")]
BatchSize = Annotated[int, typer.Option(help="Rows a step.")]


def table(
    file: File,
    target: Target = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to save the model in.")] = Path("model"),
    cats: Cats = None,
    conts: Conts = None,
    dates: Dates = None,
    without: Annotated[str | None, typer.Option(help="Columns not to look at, separated by commas.")] = None,
    target_kind: TargetKind = None,
    log_target: LogTarget = False,
    weights: Annotated[str | None, typer.Option(help="Column that says how often each row counts.")] = None,
    balanced: Annotated[bool, typer.Option("--balanced", help="Let all classes weigh the same.")] = False,
    bins: Bins = "tree",
    layers: Layers = "200,100",
    dropout: Annotated[float, typer.Option(help="After each hidden layer, 0 to 1.")] = 0.0,
    emb_drop: Annotated[float, typer.Option(help="On the embeddings, 0 to 1.")] = 0.0,
    y_range: Annotated[str | None, typer.Option(help="LOW,HIGH that predicted numbers stay within.")] = None,
    n_models: Annotated[int, typer.Option(help="Train so many and take their mean.")] = 1,
    epochs: Annotated[int, typer.Option(help="Times through the data.")] = 10,
    lr: Annotated[float, typer.Option(help="Highest learning rate of the cycle.")] = 3e-3,
    wd: Annotated[float, typer.Option(help="Weight decay.")] = 0.01,
    preset: Annotated[str, typer.Option(help="modern or lesson.")] = "modern",
    valid_pct: Annotated[float, typer.Option(help="Share of the rows held out, 0 to 1.")] = 0.2,
    split: Annotated[
        str, typer.Option(help="What is held out: random rows; or a column (a date), of which the latest are.")
    ] = "random",
    seed: Annotated[int, typer.Option(help="Of the split, the start and the batches.")] = 42,
    batch_size: BatchSize = 256,
    sep: Annotated[str | None, typer.Option(help="Separator of a text file; by default found by looking.")] = None,
    no_header: Annotated[bool, typer.Option("--no-header", help="The first line is data; name --columns.")] = False,
    columns: Annotated[str | None, typer.Option(help="Names of the columns, separated by commas.")] = None,
    encoding: Annotated[str, typer.Option(help="Of a text file: utf-8, latin-1, cp1252, ...")] = "utf-8",
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Folder to keep the training in while it runs; after a crash the same command goes on there."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and not what columns are.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a net to predict a column of a table from the others: categories, numbers, dates, holes.

    [bold]Example:[/bold] vectable train table people.csv --target salary -o model        vectable train table adult
    """
    from vectable.artifact import check_target
    from vectable.cli.train import names_in, numbers

    check_target(out)
    require(bins in ("tree", "quantile", "none"), f"--bins is {bins!r}; it is tree, quantile or none.")
    widths, limits = numbers(layers, int, "--layers"), None if y_range is None else numbers(y_range, float, "--y-range")
    data = read_table_data(
        file,
        target,
        cats,
        conts,
        dates,
        {"sep": sep, "has_header": False if no_header else None, "columns": names_in(columns), "encoding": encoding},
        without=names_in(without) or [],
        target_kind=target_kind,
        log_target=log_target,
        weights=weights,
        class_weights="balanced" if balanced else None,
        bins=None if bins == "none" else bins,
        valid_pct=valid_pct,
        split=split,
        seed=seed,
        batch_size=batch_size,
    )
    learn = _learner(
        data, widths, quiet, ps=[dropout] * len(widths), emb_drop=emb_drop, y_range=limits, n_models=n_models, wd=wd,
        preset=preset, seed=seed,
    )  # fmt: skip
    if not quiet:
        tell(repr(data))
    if not (quiet or as_json):
        print_table(data.summary(), "What the columns were taken for; --cats, --conts and --dates say otherwise")
    learn.fit_one_cycle(epochs, lr, **kept_in(checkpoint))
    saved = learn.save(out)
    measured = errors_of(learn)
    if as_json:
        print_json({"model": str(saved), "interrupted": learn.recorder.interrupted, "errors": measured})
    else:
        _print_errors(measured)
        print(f"Saved to {saved}. Next: vectable insight {saved}, vectable predict {saved} FILE")
    if learn.recorder.interrupted:
        raise typer.Exit(130)


def set_of_table(file: str) -> bool:
    """Whether a data set of the catalogue is meant that is a table of mixed columns."""
    from vectable.data.sets.table_sets import TABLES

    return file in TABLES and not Path(file).is_file()


def find_rate(
    file: str, target: list[str] | None, read: dict[str, Any], layers: str, preset: str, seed: int, batch_size: int
) -> "FoundRates":
    """What the learning-rate finder says for a table, with what `train table` takes by default."""
    from vectable.cli.train import numbers

    widths = numbers(layers, int, "--layers")
    data = read_table_data(file, target, None, None, None, read, bins="tree", seed=seed, batch_size=batch_size)
    return _learner(data, widths, quiet=False, preset=preset, seed=seed).lr_find()


def predict_rows(model: Path, rows: "pl.DataFrame", out: Path | None, as_json: bool) -> None:
    """The rows of a table with the prediction, and the probability of each class."""
    added = _predictions(_load(model), rows)
    taken = [name for name in added.columns if name in rows.columns]
    if taken:
        raise DataError(f"The table has a column {taken[0]!r} already: rename it, so that it is not lost.")
    print_rows(rows.hstack(added), out, as_json)


def what_matters(model: Path, n: int, plots: Path | None, as_json: bool) -> None:
    """Errors, importance of the columns, worst rows; of classes what is confused, and whether probabilities hold."""
    learn = _load(model)
    if len(learn.data.valid_rows) < 2:
        raise VectableError(
            f"{str(model)!r} was trained without held-out rows, and insight looks at those: use --valid-pct."
        )
    classes = learn.data.target.kind == "classes"
    measured, importance, worst = errors_of(learn), learn.feature_importance(), learn.top_losses(n)
    confusion = learn.confusion_matrix() if classes else None
    calibration = learn.calibration() if classes else None
    drawn = [] if plots is None else _draw(learn, make_folder(plots), importance, confusion, calibration)
    if as_json:
        about = {"errors": measured, "importance": importance.to_dicts(), "worst": worst.to_dicts()}
        if confusion is not None and calibration is not None:
            about |= {"confusion": confusion.to_dicts(), "calibration": calibration.table.to_dicts()}
        print_json({**about, "pictures": [str(path) for path in drawn]})
        return
    _print_errors(measured)
    print_table(importance, "Importance: how much the loss grows when a column is shuffled")
    if confusion is not None and calibration is not None:
        print_table(confusion, "Rows: what it is; columns: what the model says")
        print_table(calibration.table, f"Probabilities and what came true: {calibration.of}")
    print_table(worst if len(worst) > worst.width else _on_their_sides(worst), "The largest losses")
    for path in drawn:
        tell(f"drawn: {path}")


def about_table(model: Path, manifest: dict[str, Any], as_json: bool) -> None:
    """What a saved model of a table is: columns, settings, errors."""
    learn = _load(model)
    measured = errors_of(learn)
    if as_json:
        about = {key: manifest[key] for key in ("kind", "saved", "format_version", "versions", "settings")}
        print_json({**about, "data": repr(learn.data), "errors": measured})
        return
    settings = manifest["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    size = sum(one.numel() for one in learn.model.parameters())
    print(f"{settings['model']} x {settings['n_models']}, {size:,} parameters")
    print(f"{learn.data!r}")
    print(
        f"preset {settings['preset']}, wd {settings['wd']}, seed {settings['seed']}, {settings['epochs_done']} epochs"
    )
    print(f"saved {manifest['saved']} with {versions}, format {manifest['format_version']}\n")
    print_table(learn.data.summary(), "Columns")
    _print_errors(measured)


def read_table_data(
    file: str,
    target: list[str] | None,
    cats: str | None,
    conts: str | None,
    dates: str | None,
    read: dict[str, Any],
    without: Sequence[str] = (),
    **how: Any,
) -> "TableData":
    """The table that the options name: a file, or a data set of the catalogue."""
    from vectable.cli.train import named_set, names_in
    from vectable.data.io.files import read_table
    from vectable.data.sets.table_sets import TableSet
    from vectable.data.tables.table_data import TableData

    named = {"cat_names": names_in(cats), "cont_names": names_in(conts), "date_names": names_in(dates)}
    how |= {key: names for key, names in named.items() if names is not None}
    targets: Any = target[0] if target and len(target) == 1 else target
    chosen = named_set(file)
    if isinstance(chosen, TableSet):
        require_columns(without, chosen.table.columns, f"The data set {file!r}")
        return chosen.without(without).to_data(targets, **how)
    if chosen is not None:
        raise VectableError(f"{file!r} is a set of ratings: vectable train ratings {file}.")
    if targets is None:
        raise VectableError("Name the column to predict with --target COLUMN.")
    return TableData.from_df(read_table(file, **read), targets, without=without, **how)


def errors_of(learn: "TabularLearner") -> list[dict[str, Any]]:
    """How good the model is on the held-out rows, in the target's own units, beside the simplest guess.

    Returns:
        A row a target; none where no rows are held out.
    """
    import numpy as np

    from vectable.data.tables.targets import ClassTarget
    from vectable.training.metrics import METRICS

    outputs, truth = (one.numpy() for one in learn.get_preds())
    target = learn.data.target
    if len(truth) == 0:
        return []
    if isinstance(target, ClassTarget):
        counts = np.bincount(learn.data.train_rows.target, learn.data.train_rows.weights, minlength=target.n_outputs)
        row = {"target": target.name, "accuracy": METRICS["accuracy"](outputs, truth)}
        if target.n_outputs == 2 and 0 < truth.mean() < 1:
            row["roc_auc"] = METRICS["roc_auc"](outputs, truth)
        row["log-loss"] = learn.validate()["valid_loss"]
        row["accuracy of the commonest class"] = float((truth == counts.argmax()).mean())
        return [row]
    predicted, right = (target.decode(one).reshape(len(truth), -1) for one in (outputs, truth))
    rows = []
    for at, name in enumerate(target.names):
        guess = np.full(len(truth), target.decode(np.zeros((1, len(target.names)))).reshape(-1)[at])
        row = {"target": name}
        row |= {metric: METRICS[metric](predicted[:, at], right[:, at]) for metric in ("rmse", "mae")}
        rows.append({**row, "rmse of the mean alone": METRICS["rmse"](guess, right[:, at])})
    return rows


def _learner(data: "TableData", layers: list[int], quiet: bool, **how: Any) -> "TabularLearner":
    from vectable.tables.tabular import tabular_learner

    return tabular_learner(data, layers, progress=progress_console(quiet), **how)


def _load(model: Path) -> "TabularLearner":
    from vectable.loading import load_learner
    from vectable.tables.tabular import TabularLearner

    learn = load_learner(model, progress=False)
    if not isinstance(learn, TabularLearner):
        raise VectableError(f"{str(model)!r} is not a model of a table.")
    learn.data.kind = "polars"
    return learn


def _predictions(learn: "TabularLearner", rows: "pl.DataFrame") -> "pl.DataFrame":
    """The columns that predicting adds."""
    import numpy as np
    import polars as pl

    from vectable.data.tables.targets import ClassTarget

    outputs, target = learn.outputs(rows), learn.data.target
    decoded = target.decode(outputs)
    if isinstance(target, ClassTarget):
        shares = {f"probability of {name}": outputs[:, at] for at, name in enumerate(target.classes)}
        return pl.DataFrame({"prediction": decoded, **shares})
    if len(target.names) == 1:
        return pl.DataFrame({"prediction": decoded})
    columns = np.asarray(decoded).T
    return pl.DataFrame({f"prediction of {name}": one for name, one in zip(target.names, columns, strict=True)})


def _print_errors(measured: list[dict[str, Any]]) -> None:
    import polars as pl

    if measured:
        print_table(pl.DataFrame(measured), "On the held-out rows")
    else:
        print("No rows were held out to measure on.")


def _on_their_sides(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Rows of many columns as columns of many rows."""
    import polars as pl

    def text(value: Any) -> str:
        return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)

    values = {str(at): [text(value) for value in row] for at, row in enumerate(rows.iter_rows(), start=1)}
    return pl.DataFrame({"column": rows.columns, **values})


def _draw(
    learn: "TabularLearner",
    folder: Path,
    importance: "pl.DataFrame",
    confusion: "pl.DataFrame | None",
    calibration: "Calibration | None",
) -> list[Path]:
    """Learning rate, losses, importance, confusion, calibration, and maps of the category columns, as PNG files."""
    from vectable.insight.importance import plot_importance
    from vectable.insight.mistakes import draw_confusion

    drawn = [folder / name for name in ("learning_rate.png", "losses.png", "importance.png")]
    learn.recorder.plot_lr(show_moms=True, path=str(drawn[0]))
    learn.recorder.plot_losses(path=str(drawn[1]))
    plot_importance(importance, str(drawn[2]))
    if confusion is not None and calibration is not None:
        drawn += [folder / "confusion.png", folder / "calibration.png"]
        draw_confusion(confusion, str(drawn[-2]))
        calibration.plot(str(drawn[-1]))
    for name in learn.data.encoder.names_of("category"):
        if 3 <= len(learn.categories(name)) <= MOST_MAPPED and learn.weight(name).shape[1] >= 2:
            drawn.append(folder / f"map_{''.join(one if one.isalnum() else '_' for one in name)}.png")
            learn.embedding_map(name, str(drawn[-1]))
    return drawn
