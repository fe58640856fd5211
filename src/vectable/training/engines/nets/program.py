"""From a torch module to the program that the compiled kernels interpret, or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vectable.models.embedding_net import EmbeddingNet
from vectable.models.layers import BATCH_SHARE, BatchNorm
from vectable.models.tabular import LinearPart, PiecewiseLinear, TabularModel
from vectable.training.engines.nets import kernels as K

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]

MOST_EMBEDDED = 200_000_000
"""Numbers in all embedding tables together: the engine keeps five copies of them in memory."""


class NoProgram(Exception):  # noqa: N818 - it reads as what happened
    """The module is not a net that the kernels know; the message says what about it is not."""


@dataclass(frozen=True)
class Program:
    """A net as tables of numbers; see `kernels.train_steps`.

    Attributes:
        parameters: the module's parameters, in the order in which they lie in the vector of weights.
        places_of: where each begins there.
        size: length of that vector.
        norms: the module's batch norms, and where the statistics of each begin.
        stats: length of the vector of statistics.
        operations: (operations, 14).
        settings: shares of dropouts, and low and high of a range.
        tables: place, width and rows of each embedding table, (tables, 3).
        places: see `kernels.train_steps`; of batches of one row, all offsets grow with the batch.
        bins: the net's piecewise-linear bins, if it has some.
        masking: share of the codes hidden in training.
        linear: what is added to the outputs, if the net has it: a constant of every row, which training on the rest of
            the target amounts to.
        buffer: length of the vector of activations.
        rows: of the largest batch.
    """

    parameters: tuple[nn.Parameter, ...]
    places_of: Integers
    size: int
    norms: tuple[tuple[nn.BatchNorm1d, int], ...]
    stats: int
    operations: Integers
    settings: Floats
    tables: Integers
    places: Integers
    bins: PiecewiseLinear | None
    masking: float
    linear: LinearPart | None
    buffer: int
    rows: int

    @property
    def n_outputs(self) -> int:
        """Numbers that the net puts out for a row."""
        return int(self.places[5])


def why_no_program(model: nn.Module) -> str | None:
    """The reason why a module is not a program, or None where it is one."""
    try:
        program_of(model, 2)
    except NoProgram as problem:
        return str(problem)
    return None


def program_of(model: nn.Module, rows: int) -> Program:
    """The program of a net, for batches of up to `rows` rows.

    A net is a `TabularModel`, an `EmbeddingNet`, or an `nn.Sequential` of `Linear`, `ReLU`, `BatchNorm1d` and `Dropout`
    on rows of numbers.

    Raises:
        NoProgram: it is another module, or has a part that the kernels do not know.
    """
    parts = _parts_of(model)
    _check(model)
    return _Writer(model, parts, rows).program()


@dataclass(frozen=True)
class _Parts:
    """What a net consists of, whichever class it is."""

    embeddings: Sequence[nn.Embedding]
    emb_drop: float
    numbers_norm: nn.BatchNorm1d | None
    n_numbers: int
    bins: PiecewiseLinear | None
    layers: Sequence[nn.Module]
    y_range: tuple[float, float] | None
    masking: float
    linear: LinearPart | None = None


def _parts_of(model: nn.Module) -> _Parts:
    if type(model) is TabularModel:
        tables: Any = list(model.embeddings)
        return _Parts(
            tables,
            model.emb_drop.p if tables else 0.0,
            model.numbers_norm,
            model.numbers_norm.num_features if model.numbers_norm is not None else 0,
            model.bins,
            list(model.layers),
            model.y_range,
            model.masking if tables else 0.0,
            model.linear,
        )
    if type(model) is EmbeddingNet:
        return _Parts([model.users, model.items], 0.0, None, 0, None, list(model.layers), model.y_range, 0.0)
    if type(model) is nn.Sequential:
        layers = [one for one in model if not isinstance(one, nn.Identity)]
        if not layers or not isinstance(layers[0], nn.Linear):
            raise NoProgram("its first layer is not a Linear")
        return _Parts([], 0.0, None, layers[0].in_features, None, layers, None, 0.0)
    raise NoProgram(f"the model is {type(model).__name__}, not a tabular net or a sequence of linear layers")


def _check(model: nn.Module) -> None:
    seen: set[int] = set()
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if id(parameter) in seen:
            raise NoProgram(f"the parameter {name!r} is shared by two layers")
        seen.add(id(parameter))
        if parameter.device.type != "cpu" or parameter.dtype != torch.float32:
            raise NoProgram("it works on 32-bit weights on the CPU")
    tables = [one for one in model.modules() if isinstance(one, nn.Embedding)]
    if sum(table.weight.numel() for table in tables) > MOST_EMBEDDED:
        raise NoProgram(f"its embeddings hold more than {MOST_EMBEDDED:,} numbers")
    if any(table.padding_idx is not None or table.max_norm or table.sparse for table in tables):
        raise NoProgram("an embedding has a padding index, a maximal norm or sparse gradients")
    for module in model.modules():
        if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks:
            raise NoProgram("a layer has hooks, which only torch's own passes call")


class _Writer:
    """Writes a program, an operation at a time."""

    def __init__(self, model: nn.Module, parts: _Parts, rows: int) -> None:
        self.parts, self.rows = parts, rows
        self.parameters = tuple(model.parameters())
        sizes = np.array([0, *(one.numel() for one in self.parameters)], dtype=np.int64)
        self.places_of = np.cumsum(sizes)
        self.place = {id(one): int(at) for one, at in zip(self.parameters, self.places_of[:-1], strict=True)}
        self.operations: list[list[int]] = []
        self.settings: list[float] = []
        self.norms: list[tuple[nn.BatchNorm1d, int]] = []
        self.stats = self.buffer = 0

    def program(self) -> Program:
        """All of it."""
        parts = self.parts
        vectors = sum(table.embedding_dim for table in parts.embeddings)
        normed = parts.n_numbers if parts.numbers_norm is not None else 0
        n_bins = parts.bins.width if parts.bins is not None else 0
        numbers_at = self._room(parts.n_numbers)
        gathered = vectors + normed + n_bins  # per row, for the first layer; 0 where it takes raw numbers
        width, x_at = (gathered, self._room(gathered)) if gathered else (parts.n_numbers, numbers_at)
        if parts.emb_drop:
            self._dropout(x_at, width, vectors, parts.emb_drop)
        if parts.numbers_norm is not None:
            self._norm(parts.numbers_norm, numbers_at, parts.n_numbers, x_at + vectors, width, back=False)
        out_at, n_outputs = self._layers(x_at, width, vectors + normed)
        if parts.y_range is not None:
            if parts.linear is not None:
                raise NoProgram("a sigmoid bounds its linear part")
            self._add(K.RANGE, n_outputs, n_outputs, out_at, n_outputs, out_at, n_outputs, own=len(self.settings))
            self.settings += parts.y_range
        tables = [[self.place[id(one.weight)], one.embedding_dim, one.num_embeddings] for one in parts.embeddings]
        places = [x_at, gathered, numbers_at, x_at + vectors + normed, out_at, n_outputs]
        return Program(
            parameters=self.parameters,
            places_of=self.places_of[:-1],
            size=int(self.places_of[-1]),
            norms=tuple(self.norms),
            stats=self.stats,
            operations=np.array(self.operations, dtype=np.int64),
            settings=np.array([*self.settings, 0.0], dtype=np.float32),
            tables=np.array(tables, dtype=np.int64).reshape(len(tables), 3),
            places=np.array(places, dtype=np.int64),
            bins=parts.bins,
            masking=parts.masking,
            linear=parts.linear,
            buffer=self.buffer,
            rows=self.rows,
        )

    def _layers(self, at: int, width: int, back: int) -> tuple[int, int]:
        """The layers on top of the input block: where their outputs begin, and how many there are.

        Args:
            at, width: of the input block.
            back: how many of its columns need a gradient: vectors and normalized numbers, which come before the bins.
        """
        for layer in self.parts.layers:
            if isinstance(layer, nn.Linear):
                if layer.in_features != width:
                    raise NoProgram(f"a Linear takes {layer.in_features} numbers and {width} come")
                at, width = self._linear(layer, at, back), layer.out_features
                back = width
            elif isinstance(layer, nn.ReLU):
                self._add(K.RELU, width, width, at, width, at, width)
            elif isinstance(layer, nn.BatchNorm1d):
                out = self._room(width)
                self._norm(layer, at, width, out, width, back=True)
                at = out
            elif isinstance(layer, nn.Dropout):
                if layer.p:
                    self._dropout(at, width, width, layer.p)
            elif not isinstance(layer, nn.Identity):
                raise NoProgram(f"it has a layer {type(layer).__name__}")
        return at, width

    def _room(self, width: int) -> int:
        """Where a block of `width` numbers for every row of a batch begins."""
        at = self.buffer
        self.buffer += self.rows * width
        return at

    def _add(  # noqa: PLR0917 - the columns of the table, in their order
        self, kind: int, width_in: int, width_out: int, at: int, stride: int, out: int, out_stride: int,
        weight: int = -1, bias: int = -1, extra: int = -1, own: int = 0, back: int = 0,
        number: int = 0, warms_up: int = 0,
    ) -> None:  # fmt: skip
        columns = kind, width_in, width_out, at, stride, out, out_stride, weight, bias, extra, own, back, number
        self.operations.append([*columns, warms_up])

    def _linear(self, layer: nn.Linear, at: int, back: int) -> int:
        out = self._room(layer.out_features)
        bias = -1 if layer.bias is None else self.place[id(layer.bias)]
        self._add(
            K.LINEAR, layer.in_features, layer.out_features, at, layer.in_features, out, layer.out_features,
            self.place[id(layer.weight)], bias, back=back,
        )  # fmt: skip
        return out

    def _norm(self, norm: nn.BatchNorm1d, at: int, stride: int, out: int, out_stride: int, back: bool) -> None:
        width = norm.num_features
        warms_up = isinstance(norm, BatchNorm)  # which sets its momentum itself
        usual = norm.eps == K.NORM_EPS and (warms_up or norm.momentum == BATCH_SHARE)
        if not (usual and norm.affine and norm.track_running_stats) or type(norm) not in (nn.BatchNorm1d, BatchNorm):
            raise NoProgram("a batch norm has settings of its own")
        rests = not (norm.weight.requires_grad or norm.bias.requires_grad)
        self._add(
            K.NORM, width, width, at, stride, out, out_stride, self.place[id(norm.weight)], self.place[id(norm.bias)],
            extra=self.stats, own=int(rests), back=width if back else 0,
            number=len(self.norms), warms_up=int(warms_up),
        )  # fmt: skip
        self.norms.append((norm, self.stats))
        self.stats += 2 * width

    def _dropout(self, at: int, stride: int, width: int, share: float) -> None:
        self._add(
            K.DROPOUT, width, width, at, stride, at, stride, extra=self._room(width), own=len(self.settings), back=width
        )
        self.settings.append(share)
