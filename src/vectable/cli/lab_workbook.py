"""`vectable lab workbook`: the lesson's sheets as Excel files whose computed cells are live formulas."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from vectable.cli.completing import complete_data, complete_one_of
from vectable.cli.gathering import grouped
from vectable.cli.lab_data import DataFolder, data_folder
from vectable.cli.options import AsJson
from vectable.cli.output import print_paths
from vectable.cli.ratings_file import MoreColumns, RatingColumns, read_ratings
from vectable.errors import UnknownNameError, did_you_mean, quote_some, require

if TYPE_CHECKING:
    from vectable.lab.workbooks.corner import Corner

WORKBOOKS = ("graddesc", "collab", "entropy", "mine")


@dataclass(frozen=True)
class Ratings:
    """The ratings of the workbooks collab and mine."""

    panel: ClassVar[str] = "Ratings of collab and mine"

    ratings: Annotated[
        str | None,
        typer.Option(help="A file or a data set; by default goodbooks.", autocompletion=complete_data),
    ] = None
    user: Annotated[str | None, typer.Option(help="Column with the user; by default as in vectable train ratings.")] = (
        None
    )
    item: Annotated[str | None, typer.Option(help="Column with the item; by default as in vectable train ratings.")] = (
        None
    )
    rating: Annotated[
        str | None, typer.Option(help="Column with the rating; by default as in vectable train ratings.")
    ] = None
    title: Annotated[str | None, typer.Option(help="Column with the item's name.")] = None
    lesson: Annotated[bool, typer.Option("--lesson", help="collab with the lesson's own ratings, from --data.")] = False
    data: DataFolder = None
    factors: Annotated[int, typer.Option(help="Number of factors.")] = 5

    def check(self, name: str) -> None:
        """Refuse what does not go with the workbook `name`."""
        require(
            name != "mine" or self.ratings is not None,
            "The workbook 'mine' is of your ratings: name them with --ratings FILE.",
        )
        require(not self.lesson or name == "collab", f"--lesson is for the workbook 'collab', not {name!r}.")
        require(not (self.lesson and self.ratings), "Give --ratings or --lesson, not both.")

    def corner(self, name: str) -> "Corner":
        """The dense corner of the ratings, with factors fitted or trained for it."""
        from vectable.cli.lab_corners import fitted_corner, lesson_corner, trained_corner

        if self.lesson:
            return lesson_corner(data_folder(self.data, "lesson_xl"), self.factors)
        columns, more = RatingColumns(self.user, self.item, self.rating), MoreColumns(self.title)
        read = read_ratings(self.ratings or "goodbooks", columns, more, valid_pct=0)
        make = trained_corner if name == "mine" else fitted_corner
        return make(read, Path(self.ratings).name if self.ratings else "the shipped goodbooks sample", self.factors)


@grouped
def workbook(
    name: Annotated[
        str,
        typer.Argument(
            help="graddesc, collab, entropy, or mine: your ratings and a trained model.",
            autocompletion=complete_one_of(*WORKBOOKS),
        ),
    ],
    ratings: Ratings,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write, .xlsx; by default NAME.xlsx.")] = None,
    epochs: Annotated[int, typer.Option(help="Epochs over the points in graddesc.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Write a workbook whose every computed cell is a live formula: change an input and watch.

    [bold]Example:[/bold] vectable lab workbook graddesc -o graddesc.xlsx
    """
    if name not in WORKBOOKS:
        raise UnknownNameError(
            f"There is no workbook {name!r}.{did_you_mean(name, WORKBOOKS)} There are {quote_some(WORKBOOKS)}."
        )
    ratings.check(name)
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

        write_collab(target, ratings.corner(name))
    print_paths([target], as_json)
