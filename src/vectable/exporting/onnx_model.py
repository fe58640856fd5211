"""A recorded calculation as an ONNX model, and whole nets as a part of one."""

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from vectable.data.encoders.graph import ML, Graph, Node, Port, Value

OPSET, ML_OPSET, IR_VERSION = 20, 4, 9


class OnnxGraph(Graph):
    """A `Graph` that may hold whole ONNX models, and becomes one."""

    def __init__(self) -> None:
        super().__init__()
        self._included: dict[str, onnx.ModelProto] = {}  # by the name of the output of the node that stands for it

    def include(self, model: onnx.ModelProto, inputs: list[Value], dtype: Any) -> Value:
        """The one output of a whole model, fed with `inputs` in its order."""
        value = self.add("Model", *inputs, dtype=dtype)
        self._included[value.name] = model
        return value

    def model(self, about: dict[str, str]) -> onnx.ModelProto:
        """The finished model, checked; `about` goes into its metadata."""
        constants = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        nodes: list[onnx.NodeProto] = []
        for node in self.nodes:
            if node.output not in self._included:
                nodes.append(_node(node))
                continue
            net = onnx.compose.add_prefix_graph(self._included[node.output].graph, f"{node.output}/")
            for name, taken in zip(node.inputs, net.input, strict=True):
                nodes.append(helper.make_node("Identity", [name], [taken.name]))
            nodes += net.node
            nodes.append(helper.make_node("Identity", [net.output[0].name], [node.output]))
            constants += net.initializer
        inputs, outputs = ([_value_info(port) for port in ports] for ports in (self.inputs, self.outputs))
        graph = helper.make_graph(nodes, "vectable", inputs, outputs, constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="vectable")
        helper.set_model_props(model, about)
        onnx.checker.check_model(model)
        return model


def _node(node: Node) -> onnx.NodeProto:
    attributes: dict[str, Any] = {
        name: helper.np_dtype_to_tensor_dtype(value) if isinstance(value, np.dtype) else value
        for name, value in node.attributes.items()
    }
    return helper.make_node(node.op, list(node.inputs), [node.output], domain=node.domain, **attributes)


def _value_info(port: Port) -> onnx.ValueInfoProto:
    text = port.dtype is str
    kind = onnx.TensorProto.STRING if text else helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    shape: list[str | int | None] = ["rows"] if port.width is None else ["rows", port.width]
    return helper.make_tensor_value_info(port.name, int(kind), shape)
