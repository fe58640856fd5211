"""Workbooks laid out for a reader: inputs in blue, formulas in black, each beside the value that the lab computes.

The value travels in the file as the formula's last result, so that a viewer which cannot calculate shows numbers too,
and so that a test can let a spreadsheet program recalculate and compare every cell.
"""

import math
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vectable.errors import DataError, VectableError
from vectable.lab.arrays import Array

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.chart import Chart
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Block = tuple[int, int, int, int]
"""First row, first column, last row, last column; counted from 0."""

FORMATS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"},
    "note": {"italic": True, "font_color": "#555555"},
    "text": {},
    "input": {"font_color": "#0033CC", "bg_color": "#EEF3FF"},
    "number": {"num_format": "0.0000"},
    "factor": {"num_format": "0.000", "font_color": "#0033CC", "bg_color": "#EEF3FF"},
    "rating": {"num_format": "0.##", "font_color": "#0033CC"},
    "prediction": {"num_format": "0.00;-0.00;"},
    "short": {"num_format": "0.##"},
    "short result": {"bold": True, "num_format": "0.0000", "bg_color": "#FFF4CC", "top": 1},
    "tilted": {"rotation": 60, "valign": "bottom"},
    "whole": {"num_format": "0"},
    "hot": {"num_format": '0;-0;"·"', "align": "center"},
    "large": {"num_format": "#,##0.00"},
    "loss": {"num_format": "0.000000"},
    "result": {"bold": True, "num_format": "0.000000", "bg_color": "#FFF4CC", "top": 1},
}


@dataclass(frozen=True)
class Result:
    """The number that a sheet leads to: the sheet's name, the cell, and what the lab says it is."""

    sheet: str
    at: str
    value: float


class Book:
    """A workbook being written; use it as a context, at whose end the file appears, whole or not at all.

    Raises:
        VectableError: the package that writes it is missing, or the name does not end in .xlsx.
        DataError: the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != ".xlsx":
            raise VectableError(f"The workbook {str(path)!r} has to be an .xlsx file; give it a name that ends so.")
        check_target(self.path)
        self._workbook = _open_workbook(self.path)
        self._formats = {name: self._workbook.add_format(how) for name, how in FORMATS.items()}

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            return
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=".workbook-") as folder:
            written = Path(folder) / self.path.name
            self._workbook.filename = str(written)
            self._workbook.close()
            written.replace(self.path)

    def sheet(self, name: str, title: str, notes: Iterable[str] = ()) -> "Sheet":
        """A new sheet with its title in A1 and notes below it."""
        return Sheet(self._workbook, self._workbook.add_worksheet(name), self._formats, title, notes)


class Sheet:
    """A sheet; rows and columns are counted from 0, as in XlsxWriter."""

    def __init__(
        self, workbook: "Workbook", sheet: "Worksheet", formats: dict[str, "Format"], title: str, notes: Iterable[str]
    ) -> None:
        self._workbook, self.sheet, self._formats = workbook, sheet, formats
        self.name = sheet.get_name()
        self.top = 0
        self.text(0, 0, title, "title")
        for self.top, note in enumerate(notes, 1):
            self.text(self.top, 0, note, "note")
        self.top += 2
        """First row below the notes and an empty one."""
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def text(self, row: int, column: int, text: str, style: str = "text") -> None:
        """A text, never taken for a formula."""
        self.sheet.write_string(row, column, text, self._formats[style])

    def heads(self, row: int, column: int, names: Iterable[str]) -> None:
        """The heads of columns, side by side."""
        for at, name in enumerate(names):
            self.text(row, column + at, name, "head")

    def number(self, row: int, column: int, value: float, style: str = "input") -> str:
        """A number that a reader may change. Returns where it is, as $B$2."""
        self.sheet.write_number(row, column, float(value), self._formats[style])
        return cell(row, column, fixed=True)

    def formula(self, row: int, column: int, formula: str, value: float | str, style: str = "number") -> str:
        """A formula (without its =) and what the lab says it gives. Returns where it is, as B2."""
        if not isinstance(value, str):
            value = float(value)
            if not math.isfinite(value):
                raise VectableError(
                    f"Cell {cell(row, column)} of sheet {self.name!r} would be {value}: the settings diverge. "
                    "Try a smaller learning rate."
                )
        self.sheet.write_formula(row, column, f"={formula}", self._formats[style], value)
        return cell(row, column)

    def widths(self, first: int, last: int, width: float) -> None:
        """Width of columns, in characters."""
        self.sheet.set_column(first, last, width)

    def chart(
        self, kind: str, row: int, column: int, title: str, x: str, y: str, size: tuple[int, int] = (560, 320)
    ) -> "Chart":
        """An empty chart at a cell: "line", "scatter", "column" ...; add series with `series`."""
        how = {"type": kind} | ({"subtype": "straight"} if kind == "scatter" else {})
        chart = self._workbook.add_chart(how)
        chart.set_title({"name": title, "name_font": {"size": 12}})
        chart.set_x_axis({"name": x})
        chart.set_y_axis({"name": y, "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
        chart.set_size({"width": size[0], "height": size[1]})
        self.sheet.insert_chart(row, column, chart)
        return chart

    def shade(self, row: int, column: int, like: Array) -> None:
        """Colour cells by their numbers, low red, high green, where `like` (rows, columns) is not NaN.

        The scale is that of `like`, so that two blocks shaded like one have one scale.
        """
        runs = []
        for at, known in enumerate(np.isfinite(like)):
            edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
            for begin, end in edges.reshape(-1, 2).tolist():
                runs.append(block((row + at, column + begin), (row + at, column + end - 1), fixed=False))
        how = {"type": "3_color_scale", "multi_range": " ".join(runs)}
        how |= {"min_color": "#F4A59A", "mid_color": "#FFF4CC", "max_color": "#9CCB9C"}
        marks = zip(("min", "mid", "max"), np.nanquantile(like, [0.02, 0.3, 0.98]).tolist(), strict=True)
        for name, value in marks:
            how |= {f"{name}_type": "num", f"{name}_value": value}
        self.sheet.conditional_format(runs[0], how)

    def tall(self, row: int, height: float) -> None:
        """Height of a row, in points."""
        self.sheet.set_row(row, height)

    def freeze(self, row: int, column: int = 0) -> None:
        """Keep what is above and left of a cell in sight."""
        self.sheet.freeze_panes(row, column)


def series(chart: "Chart", sheet: str, name: str, x: Block | None, y: Block, **how: Any) -> None:
    """Add a line to a chart: blocks of `sheet` for x and y."""
    given: dict[str, Any] = {"name": name, "values": [sheet, *y], **how}
    if x is not None:
        given["categories"] = [sheet, *x]
    chart.add_series(given)


def cell(row: int, column: int, fixed: bool = False, fix_row: bool = False, fix_column: bool = False) -> str:
    """The name of a cell counted from 0: (1, 1) is B2, or $B$2 where `fixed`."""
    letters, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{'$' * (fixed or fix_column)}{letters}{'$' * (fixed or fix_row)}{row + 1}"


def block(first: tuple[int, int], last: tuple[int, int], fixed: bool = True, **fix: bool) -> str:
    """The name of a block of cells, by its corners."""
    return f"{cell(*first, fixed=fixed, **fix)}:{cell(*last, fixed=fixed, **fix)}"


def _open_workbook(path: Path) -> "Workbook":
    try:
        import xlsxwriter
    except ImportError as problem:
        raise VectableError("Workbooks need the package XlsxWriter: pip install 'vectable[lab]'.") from problem
    return xlsxwriter.Workbook(str(path))


def check_target(path: Path) -> None:
    """Raise where the file could not be written, before any work is done."""
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise DataError(f"There is no folder {str(path.parent)!r} to write {path.name!r} into.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists():
            with path.open("r+b"):
                pass
    except OSError as problem:
        raise DataError(f"{str(path)!r} cannot be written: {problem.strerror or problem}.") from problem
