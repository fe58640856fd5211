"""Learners as ONNX models: raw columns in, predictions out; of a custom module the module alone."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import onnx
import polars as pl
import torch
from numpy.typing import NDArray
from torch import nn

from vectable._version import __version__
from vectable.data.encoders.graph import Graph, Value
from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.targets import ClassTarget, NumberTarget
from vectable.data.tensors import Inputs
from vectable.exporting.net import Activation, net_model
from vectable.exporting.onnx_model import OnnxGraph

FEW = 3  # rows by which torch follows a module


def model_of_table(
    net: nn.Module, activation: Activation, encoder: TableEncoder, target: ClassTarget | NumberTarget
) -> onnx.ModelProto:
    """The columns of a raw table to `predict` and, for classes, `predict_proba`.

    Args:
        net: takes the encoder's codes, (rows, categories), and numbers, (rows, numbers).
        activation: turns its outputs into predictions.
    """
    graph = OnnxGraph()
    encoded = encoder.to_onnx(graph)
    codes = torch.zeros(FEW, len(encoder.categories), dtype=torch.int32)
    numbers = torch.zeros(FEW, len(encoder.numbers))
    whole = net_model(net, activation, (codes, numbers), ["categories", "numbers"])
    outputs = graph.include(whole, list(encoded), "float32")
    taken, predicted = encoder.raw_columns, _free("prediction", encoder.raw_columns)
    inputs = {name: column.describe() for name, column in encoder.columns.items()}
    about: dict[str, Any] = {"columns": {name: asdict(one) for name, one in inputs.items()}}
    if isinstance(target, ClassTarget):
        likeliest = graph.add("ArgMax", outputs, dtype="int64", axis=1, keepdims=0)
        classes = _classes(target)
        chosen = graph.add("Gather", graph.constant(classes), likeliest)
        graph.output(predicted, chosen, str if classes.dtype == object else classes.dtype)
        graph.output(_free("probabilities", taken), outputs, "float32", target.n_outputs)
        about["classes"] = classes.tolist()
    else:
        graph.output(
            predicted, _numbers(graph, outputs, target), "float64", target.n_outputs if target.n_outputs > 1 else None
        )
    return _model(graph, {"target": target.name, **about})


def model_of_ratings(net: nn.Module, activation: Activation, data: RatingsData) -> onnx.ModelProto:
    """User and item to the predicted rating.

    Args:
        net: takes the codes of users and of items, (rows,) each.
        activation: turns its outputs into predictions.
        data: knows the names of users and items.
    """
    graph = OnnxGraph()
    sides = {data.columns.user: data.user_ids, data.columns.item: data.item_ids}
    codes = [ids.to_onnx(graph.input(name, ids.describe().dtype)) for name, ids in sides.items()]
    zeros = torch.zeros(FEW, dtype=torch.int32)
    whole = net_model(net, activation, (zeros, zeros.clone()), ["users", "items"])
    rating = graph.include(whole, [one.cast("int32") for one in codes], "float32")
    graph.output(_free("prediction", list(sides)), rating, "float32")
    columns = {name: asdict(ids.describe()) for name, ids in sides.items()}
    return _model(graph, {"target": data.columns.rating, "columns": columns})


def model_of_net(net: nn.Module, activation: Activation, rows: Inputs) -> onnx.ModelProto:
    """A custom module with the activation of its loss: the tensors it takes to what `predict` gives.

    Args:
        rows: some rows that the module takes, of which a few are used to trace it.
    """
    inputs = tuple(one.cpu() for one in rows.inputs_of(slice(0, FEW)))
    names = ["input"] if len(inputs) == 1 else [f"input_{at}" for at in range(len(inputs))]
    model = net_model(net, activation, inputs, names)
    onnx.helper.set_model_props(model, {"vectable": __version__})
    return model


def _classes(target: ClassTarget) -> NDArray[Any]:
    """The classes as an array that ONNX knows: numbers and booleans as they are, all else as text."""
    dtype = target.classes.dtype
    if dtype == pl.Boolean or dtype.is_float() or (dtype.is_integer() and dtype != pl.Int128):
        return target.classes.to_numpy()
    return np.array(target.labels, dtype=object)


def _numbers(graph: Graph, outputs: Value, target: NumberTarget) -> Value:
    """`NumberTarget.decode`, (rows,) for one number, (rows, numbers) for several."""
    shape = graph.constant(np.array([-1, target.n_outputs] if target.n_outputs > 1 else [-1]))
    values = graph.add("Reshape", outputs, shape).cast("float64")
    values = values * graph.constant(target.std) + graph.constant(target.mean)
    return graph.add("Exp", values) - 1 if target.log else values


def _free(name: str, taken: list[str]) -> str:
    """A name for an output that differs from every input's."""
    while name in taken:
        name += "_"
    return name


def _model(graph: OnnxGraph, about: dict[str, Any]) -> onnx.ModelProto:
    texts = {key: one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for key, one in about.items()}
    return graph.model({"vectable": __version__, **texts})
