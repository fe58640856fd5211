"""A calculation on columns, recorded step by step: the form in which an encoder explains itself to other programs.

Values are added, compared and looked up as in NumPy; every operation becomes a node with the name that ONNX gives it.
Nothing here needs the onnx package: `vectable.exporting.onnx_model` turns the record into a model.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ML = "ai.onnx.ml"

Number = int | float | bool


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        op: its name in ONNX.
        inputs: names of what it takes.
        output: name of what it gives.
        domain: "" for ONNX's own operations, `ML` for those of its machine-learning part.
        attributes: settings; a `numpy.dtype` names a type of elements.
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    domain: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Port:
    """An input or an output of the graph: (rows,), or (rows, width); the type `str` stands for text."""

    name: str
    dtype: Any
    width: int | None = None


class Value:
    """One column of a graph, (rows,), with NumPy's operators; a plain number on the other side takes its type.

    ``//`` and ``%`` are for whole numbers of at least 0, where ONNX and Python agree. Half of its methods are
    those operators.
    """

    def __init__(self, graph: "Graph", name: str, dtype: Any) -> None:
        self.graph, self.name, self.dtype = graph, name, np.dtype(dtype)

    @property
    def is_text(self) -> bool:
        """Whether the column holds text."""
        return bool(self.dtype == object)

    def __add__(self, other: "Value | Number") -> "Value":
        return self._with("Add", other)

    def __sub__(self, other: "Value | Number") -> "Value":
        return self._with("Sub", other)

    def __mul__(self, other: "Value | Number") -> "Value":
        return self._with("Mul", other)

    def __truediv__(self, other: "Value | Number") -> "Value":
        return self._with("Div", other)

    def __floordiv__(self, other: "Value | Number") -> "Value":
        return self._with("Div", other)

    def __mod__(self, other: "Value | Number") -> "Value":
        return self._with("Mod", other)

    def __lt__(self, other: "Value | Number") -> "Value":
        return self._with("Less", other, bool)

    def __ge__(self, other: "Value | Number") -> "Value":
        return self._with("GreaterOrEqual", other, bool)

    def __and__(self, other: "Value | Number") -> "Value":
        return self._with("And", other)

    def __or__(self, other: "Value | Number") -> "Value":
        return self._with("Or", other)

    def __invert__(self) -> "Value":
        return self.graph.add("Not", self)

    def equals(self, other: "Value | Number") -> "Value":
        """Where both are the same."""
        return self._with("Equal", other, bool)

    def clip(self, low: float, high: float) -> "Value":
        """The values brought between two bounds."""
        bounds = (self.graph.constant(np.array(bound, dtype=self.dtype)) for bound in (low, high))
        return self.graph.add("Clip", self, *bounds)

    def is_nan(self) -> "Value":
        """Where a number is not-a-number."""
        return self.graph.add("IsNaN", self, dtype=bool)

    def is_missing(self) -> "Value":
        """Where a number is not-a-number or infinite, which both stand for a missing value."""
        return self.is_nan() | self.graph.add("IsInf", self, dtype=bool)

    def look_up(self, table: dict[Any, int]) -> "Value":
        """The whole number that belongs to each text or whole number, 0 for those that are not in the table."""
        if not table:
            return self.cast("int64") * 0 if not self.is_text else self.look_up({"": 0})
        keys = "keys_strings" if self.is_text else "keys_int64s"
        found = {keys: list(table), "values_int64s": list(table.values()), "default_int64": 0}
        return self.graph.add("LabelEncoder", self, dtype="int64", domain=ML, **found)

    def cast(self, dtype: Any) -> "Value":
        """The same values in another type; fractions are cut off."""
        return self.graph.add("Cast", self, dtype=dtype, to=np.dtype(dtype))

    def where(self, condition: "Value", other: "Value | Number") -> "Value":
        """These values where `condition` holds, else `other`."""
        return self.graph.add("Where", condition, self, self._beside(other), dtype=self.dtype)

    def as_column(self) -> "Value":
        """(rows, 1) of (rows,)."""
        return self.graph.add("Unsqueeze", self, self.graph.constant(np.array([1])))

    def _with(self, op: str, other: "Value | Number", dtype: Any = None) -> "Value":
        return self.graph.add(op, self, self._beside(other), dtype=self.dtype if dtype is None else dtype)

    def _beside(self, other: "Value | Number") -> "Value":
        return other if isinstance(other, Value) else self.graph.constant(np.array(other, dtype=self.dtype))


class Graph:
    """Nodes in the order in which they are added; inner names begin with a slash, as no column's should.

    Attributes:
        nodes: the operations.
        constants: arrays by name.
        inputs, outputs: the ports.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self.inputs: list[Port] = []
        self.outputs: list[Port] = []

    def input(self, name: str, dtype: Any) -> Value:
        """A column that whoever runs the graph hands in, (rows,); str for text."""
        self.inputs.append(Port(name, dtype))
        return Value(self, name, object if dtype is str else dtype)

    def output(self, name: str, value: Value, dtype: Any, width: int | None = None) -> None:
        """Give `value` a name under which it is handed out, (rows,) or (rows, width)."""
        self.nodes.append(Node("Identity", (value.name,), name))
        self.outputs.append(Port(name, dtype, width))

    def add(self, op: str, *inputs: Value, dtype: Any = None, domain: str = "", **attributes: Any) -> Value:
        """A node of one output; its type is the first input's unless `dtype` says otherwise."""
        name = f"/{len(self.nodes)}"
        self.nodes.append(Node(op, tuple(one.name for one in inputs), name, domain, attributes))
        return Value(self, name, inputs[0].dtype if dtype is None else dtype)

    def constant(self, array: NDArray[Any]) -> Value:
        """An array that is part of the graph."""
        name = f"/constant/{len(self.constants)}"
        self.constants[name] = array
        return Value(self, name, array.dtype)

    def side_by_side(self, columns: list[Value], dtype: str) -> Value:
        """Columns (rows,) as one block, (rows, columns); of no columns, as many rows as the first input has."""
        if not columns:
            first = self.inputs[0]
            rows = self.add("Shape", Value(self, first.name, "int64"))
            shape = self.add("Concat", rows, self.constant(np.array([0])), axis=0)
            return self.add("ConstantOfShape", shape, dtype="float32").cast(dtype)
        return self.add("Concat", *(one.as_column() for one in columns), axis=1).cast(dtype)
