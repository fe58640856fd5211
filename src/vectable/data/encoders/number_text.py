"""Numbers written as text: which spelling a column has, and what its values are.

Known are a decimal comma or point, thousands separated by comma, point, apostrophe or space, per cent and currency
signs, and the usual words and dashes for a missing value. One spelling holds for a column; a value that is written
otherwise is missing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.fill_missing import to_numbers
from vectable.errors import require
from vectable.folder_schema import one_of, record

MISSING_WORDS = ("", "-", "--", "–", "—", "?", ".", "na", "n/a", "n.a.", "nan", "null", "none", "missing")
"""Texts that stand for a missing value among numbers or dates, in small letters."""
DECIMALS = ("auto", ".", ",")
SPACES = "[\\u0020\\u00a0\\u2009\\u202f]"  # plain, no-break, thin, narrow no-break
UNITS = "%$€£¥"
MINUS = "\\-\\u2212"
NUMBER_LIKE = (
    rf"^[+{MINUS}]?{SPACES}?[{UNITS}]?{SPACES}?[+{MINUS}]?[.,]?[0-9][0-9.,'’\s]*"
    rf"(?:[eE][+-]?[0-9]+)?{SPACES}?[{UNITS}]?$"
)
SAMPLE = 200  # values looked at first: most columns of text are seen at once to be no numbers
FORM = record(  # of a saved spelling
    decimal=one_of(".", ","), thousands=one_of("", ".", ",", "'", " "), unit=one_of("", *UNITS)
)


@dataclass(frozen=True)
class NumberText:
    """A spelling of numbers.

    Attributes:
        decimal: "." or ",".
        thousands: between groups of three digits: "", ".", ",", "'" or " " (any of its widths).
        unit: "", "%" (then 12 % is 0.12) or a currency sign, before or after the number.
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""

    @property
    def pattern(self) -> str:
        """The regular expression of a number without sign and unit."""
        point = re.escape(self.decimal)
        fraction = f"(?:{point}[0-9]+)?"
        if not self.thousands:
            return rf"(?:[0-9]+{point}?[0-9]*|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
        return (
            rf"(?:[1-9][0-9]{{0,2}}(?:{self._separator}[0-9]{{3}})+{fraction}|0{fraction}|[1-9][0-9]{{0,2}}{fraction})"
        )

    @property
    def whole(self) -> str:
        """The regular expression of a text that is a number in this spelling, spaces around it cut off."""
        if not self.unit:
            return rf"^[+{MINUS}]?{self.pattern}$"
        unit = re.escape(self.unit)
        before = rf"[+{MINUS}]?{unit}?{SPACES}?[+{MINUS}]?"
        return rf"^{before}{self.pattern}(?:{SPACES}?{unit})?$"

    def read(self, values: pl.Series) -> NDArray[np.float64]:
        """The numbers of a column of text, (rows,); not-a-number for what is none in this spelling."""
        text = values.str.strip_chars()
        text = text.set(~text.str.contains(self.whole), None)
        bare = text.str.replace_all(f"[{SPACES[1:-1]}{self.unit}]", "").str.replace_all("\u2212", "-", literal=True)
        if self.thousands:
            bare = bare.str.replace_all(self._separator, "")
        if self.decimal == ",":
            bare = bare.str.replace(",", ".", literal=True)
        numbers = bare.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
        numbers = numbers / 100 if self.unit == "%" else numbers
        return np.where(np.isfinite(numbers), numbers, np.nan)

    def describe(self) -> str:
        """The spelling in words."""
        names = {".": "points", ",": "commas", "'": "apostrophes", " ": "spaces"}
        parts = ["a decimal comma"] if self.decimal == "," else []
        parts += [f"{names[self.thousands]} between thousands"] if self.thousands else []
        parts += ["per cent signs"] if self.unit == "%" else [f"the sign {self.unit}"] if self.unit else []
        return " and ".join(parts) or "a decimal point"

    def to_json(self) -> dict[str, str]:
        """The spelling as plain JSON values."""
        return {"decimal": self.decimal, "thousands": self.thousands, "unit": self.unit}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "NumberText":
        """The spelling back from `to_json`."""
        return cls(**FORM(form, "spelling"))

    @property
    def _separator(self) -> str:
        return SPACES if self.thousands == " " else "['’]" if self.thousands == "'" else re.escape(self.thousands)


@dataclass(frozen=True)
class FoundNumbers:
    """A spelling that fits every value of a column.

    Attributes:
        text: the spelling.
        doubt: the other spelling that fits, where the values do not decide; else None.
        example: a value that shows the spelling.
    """

    text: NumberText
    doubt: NumberText | None
    example: str


def find_numbers(values: pl.Series, decimal: str = "auto") -> FoundNumbers | None:
    """The spelling in which every value of a column of text is a number or missing; None where there is none.

    Text of plain whole numbers is left alone: it may be postcodes, and who wanted numbers would have had them. Where
    each comma stands before three digits ("5,126"), commas and points may be either: they are taken for what stands
    between thousands in the case of commas, and for decimals in the case of points.

    Args:
        decimal: the decimal sign, "." or ","; "auto" to see it from the values.
    """
    check_decimal(decimal)
    for sample in (values.drop_nulls().head(SAMPLE), values):
        known = sample.drop_nulls().unique(maintain_order=True).str.strip_chars()
        words = known.str.to_lowercase().is_in(MISSING_WORDS)
        numbers = known.filter(~words)
        if len(numbers) == 0 or not numbers.str.contains(NUMBER_LIKE).all():
            return None
    units = {unit for unit in UNITS if numbers.str.contains(unit, literal=True).any()}
    if len(units) > 1:
        return None
    unit = units.pop() if units else ""
    fitting = [text for text in _spellings(unit, decimal) if numbers.str.contains(text.whole).all()]
    if not fitting or (not unit and fitting[0] == NumberText() and _only_names(numbers, bool(words.any()))):
        return None
    best, *others = fitting
    doubt = next((one for one in others if not np.array_equal(one.read(numbers), best.read(numbers))), None)
    telling = numbers.filter(numbers.str.contains(r"[.,'’\s%$€£¥]"))
    return FoundNumbers(best, doubt, (telling if len(telling) else numbers)[0])


def check_decimal(decimal: object) -> None:
    """Raise a sentence for a decimal sign that is none."""
    require(decimal in DECIMALS, f"decimal must be one of {list(DECIMALS)}; got {decimal!r}.")


def read_numbers(values: pl.Series, text: NumberText | None) -> NDArray[np.float64]:
    """`to_numbers` of a column that may be text in a spelling of its own, (rows,)."""
    return to_numbers(values) if text is None or values.dtype != pl.String else text.read(values)


def _spellings(unit: str, decimal: str) -> Iterable[NumberText]:
    """Spellings, the likelier first: without separators, then with."""
    if decimal != ",":
        yield NumberText(".", "", unit)
        yield from (NumberText(".", thousands, unit) for thousands in (",", "'", " "))
    if decimal != ".":
        yield NumberText(",", "", unit)
        yield from (NumberText(",", thousands, unit) for thousands in (".", "'", " "))


def _only_names(numbers: pl.Series, with_missing: bool) -> bool:
    """Whether plain numbers name things rather than count them: written with leading zeros or a plus, or all whole."""
    if numbers.str.contains(r"^[+-]?0[0-9]|^\+").any():
        return True
    return not with_missing and not numbers.str.contains(r"[.eE]").any()
