"""A small hand for writing ONNX graphs: values that are added, compared and looked up as one would in NumPy."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

OPSET, ML_OPSET, IR_VERSION = 20, 4, 9
ML = "ai.onnx.ml"

Number = int | float | bool


class Value:
    """One column of a graph, (rows,), with NumPy's operators; a plain number beside it takes its type.

    ``//`` and ``%`` are for whole numbers of at least 0, where ONNX and Python agree.
    """

    def __init__(self, graph: "Graph", name: str, dtype: Any) -> None:
        self.graph, self.name, self.dtype = graph, name, np.dtype(dtype)

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

    def cast(self, dtype: Any) -> "Value":
        """The same values in another type; fractions are cut off."""
        return self.graph.add("Cast", self, dtype=dtype, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def where(self, condition: "Value", other: "Value | Number") -> "Value":
        """These values where `condition` holds, else `other`."""
        return self.graph.add("Where", condition, self, self._beside(other), dtype=self.dtype)

    def _with(self, op: str, other: "Value | Number", dtype: Any = None) -> "Value":
        return self.graph.add(op, self, self._beside(other), dtype=self.dtype if dtype is None else dtype)

    def _beside(self, other: "Value | Number") -> "Value":
        return other if isinstance(other, Value) else self.graph.constant(np.array(other, dtype=self.dtype))


class Graph:
    """Nodes in the order in which they are added; names inside begin with a slash, as no column's should."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def input(self, name: str, dtype: Any) -> Value:
        """A column that whoever runs the graph hands in, (rows,); str for text."""
        self.inputs.append(helper.make_tensor_value_info(name, _element_type(dtype), ["rows"]))
        return Value(self, name, object if dtype is str else dtype)

    def output(self, name: str, value: Value, dtype: Any, width: int | None = None) -> None:
        """Give `value` a name under which it is handed out, (rows,) or (rows, width)."""
        self.nodes.append(helper.make_node("Identity", [value.name], [name]))
        shape: list[str | int | None] = ["rows"] if width is None else ["rows", width]
        self.outputs.append(helper.make_tensor_value_info(name, _element_type(dtype), shape))

    def add(self, op: str, *inputs: Value, dtype: Any = None, domain: str = "", **attributes: Any) -> Value:
        """A node of one output; its type is the first input's unless `dtype` says otherwise."""
        name = f"/{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [one.name for one in inputs], [name], domain=domain, **attributes))
        return Value(self, name, inputs[0].dtype if dtype is None else dtype)

    def constant(self, array: NDArray[Any]) -> Value:
        """An array that is part of the graph."""
        name = f"/constant/{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return Value(self, name, array.dtype)

    def include(self, model: onnx.ModelProto, inputs: list[Value], dtype: Any) -> Value:
        """The one output of a whole model, fed with `inputs` in its order."""
        prefixed = onnx.compose.add_prefix_graph(model.graph, "/net/")
        for value, taken in zip(inputs, prefixed.input, strict=True):
            self.nodes.append(helper.make_node("Identity", [value.name], [taken.name]))
        self.nodes += prefixed.node
        self.constants += prefixed.initializer
        return Value(self, prefixed.output[0].name, dtype)

    def model(self, about: dict[str, str]) -> onnx.ModelProto:
        """The finished model, checked; `about` goes into its metadata."""
        graph = helper.make_graph(self.nodes, "vectable", self.inputs, self.outputs, self.constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="vectable")
        helper.set_model_props(model, about)
        onnx.checker.check_model(model)
        return model


def _element_type(dtype: Any) -> int:
    return int(onnx.TensorProto.STRING if dtype is str else helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
