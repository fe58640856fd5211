"""Values of one type as plain JSON and back, exactly: numbers, booleans, text, dates, times, decimals."""

import math
from typing import Any

import polars as pl

from vectable.errors import ArtifactError

WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
PLAIN = {str(dtype()): dtype for dtype in (*WHOLE, pl.Float32, pl.Float64, pl.Boolean, pl.String)}


def values_to_json(values: pl.Series) -> dict[str, Any]:
    """A column without missing values as its type and its values; dates and times as whole numbers of their unit."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime | pl.Duration):
        zone = dtype.time_zone if isinstance(dtype, pl.Datetime) else None
        unit, listed = dtype.time_unit, values.to_physical().to_list()
        return {"type": type(dtype).__name__, "unit": unit, "zone": zone, "values": listed}
    if dtype in (pl.Date, pl.Time):
        return {"type": str(dtype), "values": values.to_physical().to_list()}
    if isinstance(dtype, pl.Decimal):
        digits, listed = {"precision": dtype.precision, "scale": dtype.scale}, values.cast(pl.String).to_list()
        return {"type": "Decimal", **digits, "values": listed}
    listed = values.to_list()
    if dtype.is_float():
        listed = [value if math.isfinite(value) else str(value) for value in listed]
    return {"type": str(dtype), "values": listed}


def values_from_json(form: dict[str, Any]) -> pl.Series:
    """The column back from `values_to_json`.

    Raises:
        ArtifactError: a type that this program does not know.
    """
    name, values = form["type"], form["values"]
    if name == "Decimal":
        return pl.Series(values, dtype=pl.String).cast(pl.Decimal(form["precision"], form["scale"]))
    if name == "Datetime":
        return pl.Series(values, dtype=pl.Int64).cast(pl.Datetime(form["unit"], form["zone"]))
    if name == "Duration":
        return pl.Series(values, dtype=pl.Int64).cast(pl.Duration(form["unit"]))
    if name == "Date":
        return pl.Series(values, dtype=pl.Int32).cast(pl.Date)
    if name == "Time":
        return pl.Series(values, dtype=pl.Int64).cast(pl.Time)
    if name not in PLAIN:
        raise ArtifactError(f"Values of type {name!r} cannot be read; this program knows {list(PLAIN)} and dates.")
    dtype = PLAIN[name]
    return pl.Series([float(value) for value in values] if "Float" in name else values, dtype=dtype)
