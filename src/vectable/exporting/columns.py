"""Fitted encoders as parts of a graph: from the columns of a raw table to category codes and numbers.

A column comes in as text where its categories are text, and as a 64-bit float otherwise: numbers, whole numbers that
are categories, and dates in seconds since 1970. Truths are text, "true" and "false", or as `TRUTHS` has them. Missing
is not-a-number, and in text an empty string.
"""

from dataclasses import dataclass

import numpy as np

from vectable.data.encoders.categorify import TRUTHS, Categorify
from vectable.data.encoders.dates import CATEGORIES as DATE_CATEGORIES
from vectable.data.encoders.normalize import EPS, FARTHEST
from vectable.data.tables.table_encoder import NA, NumberColumn, TableEncoder
from vectable.exporting.calendar import date_parts
from vectable.exporting.graph import ML, Graph, Value

EXACT = 2.0**53  # whole numbers from here on are not exact in a 64-bit float


@dataclass(frozen=True)
class Column:
    """How a column of the raw table is handed in.

    Attributes:
        kind: "category", "number" or "date".
        type: "text", "number" or "seconds since 1970".
        missing: what stands for a missing value.
    """

    kind: str
    type: str
    missing: str


def describe(encoder: TableEncoder) -> dict[str, Column]:
    """How each raw column is handed in, by name, in order."""
    columns = {name: category(encoder.categories[name]) for name in encoder.cat_names}
    columns |= {name: Column("number", "number", "NaN") for name in encoder.cont_names}
    return columns | {name: Column("date", "seconds since 1970", "NaN") for name in encoder.dates}


def category(categorify: Categorify) -> Column:
    """How a column of categories is handed in."""
    is_text = _is_text(categorify)
    return Column("category", "text", _missing_text(categorify)) if is_text else Column("category", "number", "NaN")


def encode(graph: Graph, encoder: TableEncoder) -> tuple[Value, Value]:
    """`TableEncoder.encode`: codes, (rows, categories) int32, and numbers, (rows, numbers) float32."""
    codes = {name: category_input(graph, name, encoder.categories[name]) for name in encoder.cat_names}
    raws = {name: graph.input(name, "float64") for name in encoder.cont_names}
    holes = {name: _is_hole(raw) for name, raw in raws.items()}
    for date in encoder.dates:
        seconds = graph.input(date, "float64")
        hole = _is_hole(seconds)
        for part, value in date_parts(seconds.where(~hole, 0)).items():
            name = f"{date}_{part}"
            if name in encoder.raw_columns:  # which is taken instead, as in the table
                continue
            if part in DATE_CATEGORIES:
                codes[name] = _codes_of_whole(value, hole, encoder.categories[name])
            else:
                raws[name], holes[name] = value.cast("float64"), hole
    for name in encoder.categories:
        if name not in codes:  # the memory of a number's holes: the codes of false and true
            codes[name] = holes[name.removesuffix(NA)].cast("int64") + 1
    numbers = [_normalised(raws[name], holes[name], column) for name, column in encoder.numbers.items()]
    return (
        _side_by_side(graph, [codes[name] for name in encoder.categories], "int32"),
        _side_by_side(graph, numbers, "float32"),
    )


def category_input(graph: Graph, name: str, categorify: Categorify) -> Value:
    """An input of categories as codes, (rows,) int64."""
    if _is_text(categorify):
        text = graph.input(name, str)
        keys = [*(str(value) for value in categorify.vocabulary), _missing_text(categorify)]
        known = [*range(1, len(keys)), categorify.missing_code]
        if categorify.holds_truths:
            code_of = dict(zip(keys, known, strict=True))
            spelled = {key: code_of[truth] for key, truth in TRUTHS.items() if truth in code_of}
            keys, known = [*keys, *spelled], [*known, *spelled.values()]
        found = {"keys_strings": keys, "values_int64s": known, "default_int64": 0}
        return graph.add("LabelEncoder", text, dtype="int64", domain=ML, **found)
    number = graph.input(name, "float64")
    hole = graph.add("IsNaN", number, dtype=bool)
    is_whole = graph.add("Floor", number).equals(number) & (graph.add("Abs", number) < EXACT)
    codes = _codes_of_whole(number.where(is_whole, 0).cast("int64"), hole, categorify)
    return codes.where(is_whole | hole, 0)


def _codes_of_whole(value: Value, hole: Value, categorify: Categorify) -> Value:
    """Codes of whole numbers, (rows,) int64, the missing code where there is a hole."""
    keys = categorify.vocabulary.cast(int).to_list()
    found = {"keys_int64s": keys, "values_int64s": list(range(1, len(keys) + 1)), "default_int64": 0}
    codes = value.graph.add("LabelEncoder", value, domain=ML, **found) if keys else value * 0
    return codes.where(~hole, categorify.missing_code)


def _normalised(raw: Value, hole: Value, column: NumberColumn) -> Value:
    """A number filled and normalised as the encoder does it, in its order of operations, (rows,) float32."""
    scale, graph = column.scale, raw.graph
    low, high = (np.array(scale.mean + sign * FARTHEST * scale.std) for sign in (-1, 1))
    filled = raw.where(~hole, column.fill.fill)
    near = graph.add("Clip", filled, graph.constant(low), graph.constant(high))
    return ((near - scale.mean) / (EPS + scale.std)).cast("float32")


def _is_hole(number: Value) -> Value:
    """Where a number is not finite."""
    graph = number.graph
    return graph.add("IsNaN", number, dtype=bool) | graph.add("IsInf", number, dtype=bool)


def _side_by_side(graph: Graph, columns: list[Value], dtype: str) -> Value:
    """Columns (rows,) as one block, (rows, columns); of no columns, as many rows as the first input has."""
    last = graph.constant(np.array([1]))
    if not columns:
        rows = graph.add("Shape", Value(graph, graph.inputs[0].name, "int64"))
        shape = graph.add("Concat", rows, graph.constant(np.array([0])), axis=0)
        return graph.add("ConstantOfShape", shape).cast(dtype)
    block = graph.add("Concat", *(graph.add("Unsqueeze", one, last) for one in columns), axis=1)
    return block.cast(dtype)


def _is_text(categorify: Categorify) -> bool:
    """Whether a vocabulary is handed in as text: also one of whole numbers that no 64-bit float tells apart."""
    known = categorify.vocabulary
    return not known.dtype.is_integer() or bool((known.abs() >= EXACT).any())


def _missing_text(categorify: Categorify) -> str:
    """What stands for a missing text: the empty one, or where that is a category, a word that is none."""
    word = ""
    while word in categorify.vocabulary.cast(str):
        word += "<missing>"
    return word
