"""`vectable lab`: the lesson by hand: workbooks with live formulas, descent to play with, every number recomputed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.lab_data import data_folder, load_digits
from vectable.cli.lab_lesson import lesson as lesson_command
from vectable.cli.output import print_json, print_table, tell
from vectable.errors import UnknownNameError, VectableError, did_you_mean, quote_some, require

if TYPE_CHECKING:
    from vectable.lab.descent import Descent
    from vectable.lab.digits import Run
    from vectable.lab.workbooks.corner import Corner

app = typer.Typer(no_args_is_help=True)

WORKBOOKS = ("graddesc", "collab", "entropy", "mine")

AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder that holds mnist/, ml-100k/, lesson_xl/; by default what VECTABLE_DATA names."),
]


@app.callback()
def lab() -> None:
    """The lesson by hand: workbooks with live formulas, descent to play with, every number recomputed."""


@app.command("workbook")
def workbook(
    name: Annotated[str, typer.Argument(help="graddesc, collab, entropy, or mine: your ratings and a trained model.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write, .xlsx; by default NAME.xlsx.")] = None,
    ratings: Annotated[
        str | None, typer.Option(help="Ratings for collab and mine: a file or a data set; by default goodbooks.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Column with the user; by default the first.")] = None,
    item: Annotated[str | None, typer.Option(help="Column with the item; by default the second.")] = None,
    rating: Annotated[str | None, typer.Option(help="Column with the rating; by default the third.")] = None,
    title: Annotated[str | None, typer.Option(help="Column with the item's name.")] = None,
    lesson: Annotated[
        bool, typer.Option("--lesson", help="collab with the lesson's own ratings, from --data.")
    ] = False,
    data: Data = None,
    factors: Annotated[int, typer.Option(help="Factors of collab and mine.")] = 5,
    epochs: Annotated[int, typer.Option(help="Times through the points in graddesc.")] = 10,
) -> None:
    """Write a workbook whose every computed cell is a live formula: change an input and watch.

    [bold]Example:[/bold] vectable lab workbook graddesc -o graddesc.xlsx
    """
    if name not in WORKBOOKS:
        raise UnknownNameError(
            f"There is no workbook {name!r}.{did_you_mean(name, WORKBOOKS)} There are {quote_some(WORKBOOKS)}."
        )
    require(
        name != "mine" or ratings is not None, "The workbook 'mine' is of your ratings: name them with --ratings FILE."
    )
    require(not lesson or name == "collab", f"--lesson is for the workbook 'collab', not {name!r}.")
    require(not (lesson and ratings), "Give --ratings or --lesson, not both.")
    from vectable.lab.workbooks.writing import check_target

    target = out if out is not None else Path(f"{name}.xlsx")
    check_target(target)
    if name == "graddesc":
        from vectable.lab.workbooks.graddesc import write_graddesc

        write_graddesc(target, epochs)
    elif name == "entropy":
        from vectable.lab.workbooks.entropy import write_entropy

        write_entropy(target)
    else:
        from vectable.lab.workbooks.collab import write_collab

        write_collab(target, _corner(name, ratings, (user, item, rating, title), lesson, data, factors))
    print(target)


def _corner(
    name: str, ratings: str | None, columns: tuple[str | None, ...], lesson: bool, data: Path | None, factors: int
) -> "Corner":
    from vectable.cli.lab_corners import fitted_corner, lesson_corner, trained_corner
    from vectable.cli.train import read_ratings

    if lesson:
        return lesson_corner(data_folder(data, "lesson_xl"), factors)
    user, item, rating, title = columns
    read = read_ratings(ratings or "goodbooks", user, item, rating, title=title, valid_pct=0)
    make = trained_corner if name == "mine" else fitted_corner
    return make(read, Path(ratings).name if ratings else "the shipped goodbooks sample", factors)


@app.command("descend")
def descend(
    optimizer: Annotated[
        list[str] | None, typer.Option(help="sgd, momentum, rmsprop, adam, ...; several: --optimizer sgd,adam.")
    ] = None,
    lr: Annotated[
        list[str] | None, typer.Option(help="Learning rate; one for all, or one each: --lr .0001,.1.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Times through the 29 points.")] = 10,
    start: Annotated[str, typer.Option(help="Intercept and slope to start from.")] = "1,1",
    digits: Annotated[
        bool, typer.Option("--digits", help="The lesson's comparison on MNIST instead of the line.")
    ] = False,
    out: Annotated[
        list[Path] | None, typer.Option("--out", "-o", help="Picture to draw: .png, .svg, .pdf, or .gif that moves.")
    ] = None,
    data: Data = None,
    seed: Annotated[int, typer.Option(help="Of start and batches, with --digits.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Watch optimizers roll down the loss surface of y = 2x + 30, or train on digits.

    [bold]Example:[/bold] vectable lab descend --optimizer sgd,adam --lr .0001,.1 -o way.png -o way.gif
    """
    from vectable.lab.pictures import MOVING, animate_descents, check_picture, draw_descents, draw_losses

    pictures = [check_picture(path) for path in out or []]
    if digits:
        require(
            not optimizer and not lr, "--digits has the lesson's optimizers and rates; leave --optimizer and --lr out."
        )
        moving = [path for path in pictures if path.suffix.lower() == MOVING]
        require(not moving, "With --digits there is nothing that moves; name a .png, .svg or .pdf.")
        runs, named = _digits(data, seed)
        _tell_digits(runs, named, as_json)
        for path in pictures:
            draw_losses({run.name: run.losses for run in runs}, path, f"{named}: loss by batch, first epoch")
            tell(f"Drew {path}.")
        return
    descents = _descents(_split(optimizer or ["sgd,momentum,rmsprop,adam"]), lr, epochs, start)
    _tell_descents(descents, as_json)
    for path in pictures:
        (animate_descents if path.suffix.lower() == MOVING else draw_descents)(descents, path)
        tell(f"Drew {path}.")


def _descents(names: list[str], lr: list[str] | None, epochs: int, start: str) -> list["Descent"]:
    from vectable.lab.descent import descend as run_down

    rates: list[float | None] = [None] if lr is None else list(_numbers(lr, "--lr"))
    rates = rates * len(names) if len(rates) == 1 else rates
    if len(rates) != len(names):
        raise VectableError(
            f"There are {len(names)} optimizers and {len(rates)} rates; give one rate, or one for each."
        )
    begin = _numbers([start], "--start")
    require(len(begin) == 2, f"--start is {start!r}; give two numbers, intercept and slope, as 1,1.")
    return [run_down(name, rate, epochs, (begin[0], begin[1])) for name, rate in zip(names, rates, strict=True)]


def _split(given: list[str]) -> list[str]:
    return [part.strip() for text in given for part in text.split(",")]


def _numbers(given: list[str], option: str) -> list[float]:
    try:
        return [float(part) for part in _split(given)]
    except ValueError as problem:
        raise VectableError(f"{option} is {','.join(given)!r}; give numbers separated by commas.") from problem


def _tell_descents(descents: list["Descent"], as_json: bool) -> None:
    import polars as pl

    from vectable.lab.surface import MARKS, surface_map

    if as_json:
        print_json([{**_by_epoch(one), "said": one.in_words(), "diverged_at_step": one.diverged} for one in descents])
        return
    print("The loss surface, darker is worse: S the start, O the bottom, a letter where each epoch ended.\n")
    print("\n".join(surface_map(descents)))
    print()
    for letter, one in zip(MARKS, descents, strict=False):
        table = _by_epoch(one)
        frame = pl.DataFrame({key: table[key] for key in ("epoch", "intercept", "slope", "error")})
        print_table(frame, f"{letter}  {one.name}, learning rate {one.lr:g}")
    for letter, one in zip(MARKS, descents, strict=False):
        print(f"{letter}  {one.in_words()}")


def _by_epoch(one: "Descent") -> dict[str, Any]:
    at = [min(epoch * one.steps_an_epoch, len(one.slopes) - 1) for epoch in range(len(one.errors))]
    return {
        "optimizer": one.name,
        "lr": one.lr,
        "epoch": list(range(len(one.errors))),
        "intercept": [float(one.intercepts[step]) for step in at],
        "slope": [float(one.slopes[step]) for step in at],
        "error": [float(error) for error in one.errors],
    }


def _digits(data: Path | None, seed: int) -> tuple[list["Run"], str]:
    """The comparison on MNIST where it is at hand, else on the digits that come with scikit-learn."""
    from vectable.lab.digits import compare_on_digits

    (x, y, x_valid, y_valid), named = load_digits(data)
    return compare_on_digits(x, y, x_valid, y_valid, seed=seed), named


def _tell_digits(runs: list["Run"], named: str, as_json: bool) -> None:
    import polars as pl

    rows = [
        {
            "optimizer": run.name,
            "first loss": float(run.losses[0]),
            "last loss, smoothed": run.last,
            "accuracy": run.accuracy,
        }
        for run in runs
    ]
    if as_json:
        print_json({"data": named, "runs": rows})
        return
    print_table(pl.DataFrame(rows), f"{named}: one epoch in batches of 64, one hidden layer of 50")
    last = {run.name: run.last for run in runs}
    print(
        f"Adam at 2e-2 ends at {last['Adam 2e-2']:.3f} where it keeps its averages, and at "
        f"{last['new Adam every step, 2e-2']:.3f} where every step makes a\nnew one, as the lesson's notebook does: "
        "that steps by the rate times the sign of each gradient."
    )


app.command("lesson")(lesson_command)
