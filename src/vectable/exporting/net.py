"""A torch module as ONNX, by torch's own exporter."""

import copy
import warnings
from collections.abc import Callable

import onnx
import torch
from torch import Tensor, nn

from vectable.errors import VectableError
from vectable.exporting.onnx_model import OPSET

Activation = Callable[[Tensor], Tensor]
"""Turns a model's outputs into predictions."""


def net_model(
    model: nn.Module, activation: Activation, inputs: tuple[Tensor, ...], names: list[str]
) -> onnx.ModelProto:
    """The model with its activation, for any number of rows; one output, "outputs".

    Args:
        inputs: at least two rows as the model takes them, to follow its operations.
        names: of the inputs.

    Raises:
        VectableError: torch cannot follow the module's code, with torch's reason.
    """
    rows = torch.export.Dim("rows")
    whole = _Activated(copy.deepcopy(model).cpu().eval(), activation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program = torch.onnx.export(
                whole,
                inputs,
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=names,
                output_names=["outputs"],
                dynamic_shapes={"inputs": tuple({0: rows} for _ in inputs)},
            )
        except torch.onnx.OnnxExporterError as problem:
            reason = str(problem.__cause__ or problem).strip().splitlines()[0]
            raise VectableError(
                f"torch cannot write {type(model).__name__} as ONNX: {reason} See torch.onnx.export on what it can."
            ) from problem
    assert program is not None, "torch gives None only when it writes a file itself"
    return program.model_proto


class _Activated(nn.Module):
    """A model and the activation that belongs to its loss."""

    def __init__(self, model: nn.Module, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model, self.activation = model, activation

    def forward(self, *inputs: Tensor) -> Tensor:
        """Predictions, (rows, ...), of what the model takes."""
        return self.activation(self.model(*inputs))
