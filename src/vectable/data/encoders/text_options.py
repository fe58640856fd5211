"""How text that is numbers or dates is read, as the user asks for it."""

from dataclasses import dataclass

from vectable.data.encoders.date_text import AUTO, check_dates
from vectable.data.encoders.number_text import check_decimal


@dataclass(frozen=True)
class TextOptions:
    """Options of a table; by default everything is seen from the values.

    Attributes:
        decimal: the decimal sign of numbers: "auto", "." or ",".
        dates: the order of dates: "auto", "day first", "month first", or a `strptime` format.
        bad_dates: what becomes of text that is not a date: "error" or "missing".

    Raises:
        VectableError: an option out of range.
    """

    decimal: str = AUTO
    dates: str = AUTO
    bad_dates: str = "error"

    def __post_init__(self) -> None:
        check_decimal(self.decimal)
        check_dates(self.dates, self.bad_dates)
