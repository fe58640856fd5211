"""A trained tabular net as NumPy arrays: its predictions without torch, the same for a row wherever it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP = 0.5
"""Height of the step at an inner border; see `models.tabular.PiecewiseLinear`."""
NORM_EPS = 1e-5
ROWS_PER_BLOCK = 16_384


@dataclass(frozen=True)
class ArrayNet:
    """The forward pass of a `TabularModel` that has been trained, in 64 bits.

    In evaluation mode dropout and masking do nothing, and a batch norm is a scale and a shift, which the linear layer
    behind it takes in: what is left is embeddings, bins, linear layers and ReLU.

    Attributes:
        tables: vectors of each category column, (codes, width).
        scale, shift: of the numbers, (numbers,).
        bins: column, lower border and width of each interval; (intervals,) each.
        steps: column and border of each step, (inner borders,) each.
        layers: weight, (outputs, inputs), and bias, (outputs,), of each linear layer; ReLU follows all but the last.
        y_range: (low, high) of the sigmoid at the end, or None.
        linear: weight, (outputs, numbers), and bias, (outputs,), of the linear part beside the layers, or None.
    """

    tables: tuple[Floats, ...]
    scale: Floats
    shift: Floats
    bins: tuple[NDArray[np.int64], Floats, Floats]
    steps: tuple[NDArray[np.int64], Floats]
    layers: tuple[tuple[Floats, Floats], ...]
    y_range: tuple[float, float] | None
    linear: tuple[Floats, Floats] | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> "ArrayNet":
        """From a model's `config()` and the arrays of its state, by torch's names.

        Raises:
            KeyError: an array is missing.
        """
        n_tables, n_numbers = len(config["embeddings"]), config["n_numbers"]
        scale, shift = np.ones(n_numbers), np.zeros(n_numbers)
        if n_numbers:
            scale, shift = _scale_and_shift(arrays, "numbers_norm")
        borders: Sequence[Sequence[float]] = config.get("borders", ())
        intervals = [(at, low, high) for at, one in enumerate(borders) for low, high in pairwise(one)]
        inner = [(at, border) for at, one in enumerate(borders) for border in one[1:-1]]
        # as 32-bit numbers, which the net was trained with
        lows = np.array([low for _, low, _ in intervals], dtype=np.float32).astype(np.float64)
        scales = np.array([1 / (high - low) for _, low, high in intervals], dtype=np.float32).astype(np.float64)
        y_range = config["y_range"]
        return cls(
            tables=tuple(arrays[f"embeddings.{at}.weight"].astype(np.float64) for at in range(n_tables)),
            scale=scale,
            shift=shift,
            bins=(np.array([at for at, _, _ in intervals], dtype=np.int64), lows, scales),
            steps=(
                np.array([at for at, _ in inner], dtype=np.int64),
                np.array([border for _, border in inner], dtype=np.float32).astype(np.float64),
            ),
            layers=_folded_layers(arrays),
            y_range=None if y_range is None else (float(y_range[0]), float(y_range[1])),
            linear=_linear_part(arrays) if config.get("linear") else None,
        )

    def outputs(self, codes: NDArray[np.int32], numbers: NDArray[np.float32]) -> Floats:
        """The net's outputs, (rows, outputs).

        Args:
            codes: of the categories, (rows, categories).
            numbers: normalized, (rows, numbers).
        """
        blocks = range(0, max(len(codes), len(numbers), 1), ROWS_PER_BLOCK)
        return np.concatenate(
            [self._block(codes[at : at + ROWS_PER_BLOCK], numbers[at : at + ROWS_PER_BLOCK]) for at in blocks]
        )

    def _block(self, codes: NDArray[np.int32], numbers: NDArray[np.float32]) -> Floats:
        values = numbers.astype(np.float64)
        parts: list[NDArray[Any]] = [table[codes[:, at]] for at, table in enumerate(self.tables)]
        parts.append(values * self.scale + self.shift)
        columns, lows, scales = self.bins
        parts.append(np.clip((values[:, columns] - lows) * scales, 0, 1))
        columns, borders = self.steps
        parts.append((values[:, columns] >= borders) * STEP)
        rows = np.concatenate(parts, axis=1)
        for weight, bias in self.layers[:-1]:
            rows = np.maximum(_product(rows, weight) + bias, 0)
        weight, bias = self.layers[-1]
        rows = _product(rows, weight) + bias
        if self.linear is not None:
            rows = rows + _product(values, self.linear[0]) + self.linear[1]
        if self.y_range is None:
            return rows
        low, high = self.y_range
        return np.asarray(low + (high - low) / (1 + np.exp(-rows)))


def _product(rows: Floats, weight: Floats) -> Floats:
    """``rows @ weight.T``. BLAS may round a lone row otherwise than a row among others, so it never gets a lone one."""
    if len(rows) == 1:
        return np.asarray((np.concatenate([rows, rows]) @ weight.T)[:1])
    return np.asarray(rows @ weight.T)


def _linear_part(arrays: Mapping[str, NDArray[Any]]) -> tuple[Floats, Floats]:
    return arrays["linear.weight"].astype(np.float64), arrays["linear.bias"].astype(np.float64)


def _scale_and_shift(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[Floats, Floats]:
    """A batch norm at rest: ``x * scale + shift``."""
    mean, variance, gamma, beta = (
        arrays[f"{name}.{part}"].astype(np.float64) for part in ("running_mean", "running_var", "weight", "bias")
    )
    scale = gamma / np.sqrt(variance + NORM_EPS)
    return scale, beta - mean * scale


def _folded_layers(arrays: Mapping[str, NDArray[Any]]) -> tuple[tuple[Floats, Floats], ...]:
    """The linear layers, each with the batch norm before it folded in."""
    numbers = sorted({int(name.split(".")[1]) for name in arrays if name.startswith("layers.")})
    folded: list[tuple[Floats, Floats]] = []
    scale: Floats | None = None
    shift: Floats | None = None
    for at in numbers:
        if f"layers.{at}.running_mean" in arrays:
            scale, shift = _scale_and_shift(arrays, f"layers.{at}")
            continue
        weight = arrays[f"layers.{at}.weight"].astype(np.float64)
        given = arrays.get(f"layers.{at}.bias")
        bias = np.zeros(len(weight)) if given is None else given.astype(np.float64)
        if scale is not None and shift is not None:
            bias, weight = bias + weight @ shift, weight * scale
            scale = shift = None
        folded.append((weight, np.asarray(bias, dtype=np.float64)))
    return tuple(folded)
