"""What a column of text is: whole numbers, numbers, or text, judged over all its values.

- Whole numbers become integers, other numbers floats, everything else (dates, true/false) stays text;
- a column in which a value is not written as a number would be (``007``, ``+7``, ``-0``, or more digits than
  a number can hold) stays text, since it names something rather than counts it;
- where the decimal sign is a comma, fractions stay text for whoever reads them in that spelling;
- where every value of a column begins with a space (``a, b``), the spaces are not part of the values;
- an empty field is missing, quoted or not.
"""

import polars as pl

_MISSING_NUMBERS = ["NA", "N/A", "null", "NULL"]
_NAMED_INTEGER = r"^(?:\+|-?0[0-9]|-0$)"
_NAMED_FLOAT = r"^[+-]?(?:0[0-9]|[0-9]{16,}$)"


def typed(frame: pl.DataFrame, decimal: str = ".") -> pl.DataFrame:
    """Every column of text as integers, floats or text, by all its values.

    Args:
        decimal: "," to leave numbers with points or commas as text.
    """
    columns = frame.get_columns()
    del frame
    for at, column in enumerate(columns):
        columns[at] = _typed_column(_without_padding(column), decimal)
    return pl.DataFrame(columns)


def _without_padding(text: pl.Series) -> pl.Series:
    """The column, its name too, without the space that "a, b" puts in front, where every value has it."""
    if text.null_count() < len(text) and text.str.starts_with(" ").all():
        text = text.str.strip_chars(" ")
        text = text.set(text == "", None)
    return text.alias(text.name.strip(" "))


def _typed_column(text: pl.Series, decimal: str) -> pl.Series:
    if text.null_count() == len(text):
        return text
    whole = text.cast(pl.Int64, strict=False)
    if whole.null_count() == text.null_count():
        return text if text.str.contains(_NAMED_INTEGER).any() else whole
    if decimal == "," and text.str.contains(".", literal=True).any():
        return text
    number = text.cast(pl.Float64, strict=False)
    if number.null_count() > text.null_count():
        known = text.set(text.is_in(_MISSING_NUMBERS), None)
        typed = _typed_column(known, decimal) if known.null_count() == number.null_count() else known
        return text if typed.dtype == pl.String else typed
    if not number.is_finite().any() or text.str.contains(_NAMED_FLOAT).any():
        return text
    return number
