"""A net for tables: embeddings for categories, batch norm and bins for numbers, linear layers."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from vectable.errors import is_finite, is_whole, require
from vectable.folder_schema import Default, boolean, fraction, list_of, number, one_of, record, whole
from vectable.models.layers import BatchNorm, embedding, sigmoid_range
from vectable.models.saved_model import RANGE

STEP = 0.5  # height of a step beside slopes of 1: where rows are few, the net first learns along the slopes


class TabularModel(nn.Module):
    """The lesson's order: embeddings, concatenated, dropout; batch norm on the numbers; both concatenated; then
    [Linear, ReLU, batch norm, dropout] a layer; a last Linear; y_range.

    Args:
        embeddings: (codes, width) a category column; the unknown is code 0, the missing the last.
        n_numbers: number columns.
        n_outputs: numbers or classes predicted.
        layers: width of each hidden layer.
        ps: dropout after each of them, 0 to 1.
        emb_drop: dropout on the embeddings, 0 to 1.
        y_range: (low, high) of a sigmoid at the end; None for the plain numbers.
        preset: "modern" (a Linear under batch norm has no bias of its own, and batch norm knows its statistics soon) or
            "lesson".
        borders: for each number column the borders of its piecewise-linear bins, possibly none; see
            `data.bins.PiecewiseLinearBins`.
        masking: share of the categories shown as unknown or missing in training, so that these are learned.
        linear: whether a linear function of the numbers is added to the outputs, before y_range. Its weights are not
            trained: `tables.net_start.start_at_ridge` sets them, and the net learns what they leave.

    Examples:
        >>> import torch, vectable as vt
        >>> model = vt.TabularModel(embeddings=[(4, 3)], n_numbers=2, n_outputs=1, layers=[8])
        >>> tuple(model(torch.tensor([[1], [2]]), torch.randn(2, 2)).shape)
        (2, 1)
    """

    CONFIG = record(
        embeddings=list_of(list_of(whole(1), 2, 2)),
        n_numbers=whole(0),
        n_outputs=whole(1),
        layers=list_of(whole(1), 1),
        ps=list_of(fraction),
        emb_drop=fraction,
        y_range=RANGE,
        preset=one_of("modern", "lesson"),
        borders=list_of(list_of(number())),
        masking=Default(0.0, fraction),
        linear=Default(False, boolean),
    )
    """The form of `config` in a saved folder."""

    def __init__(
        self,
        embeddings: Sequence[tuple[int, int]],
        n_numbers: int,
        n_outputs: int,
        layers: Sequence[int] = (200, 100),
        *,
        ps: Sequence[float] = (),
        emb_drop: float = 0.0,
        y_range: Sequence[float] | None = None,
        preset: str = "modern",
        borders: Sequence[Sequence[float]] = (),
        masking: float = 0.0,
        linear: bool = False,
    ):
        super().__init__()
        check_layers(layers)
        require(
            len(ps) in (0, len(layers)),
            f"ps has {len(ps)} entries for {len(layers)} layers; give one per layer, or none.",
        )
        for name, share in [*(("ps", one) for one in ps), ("emb_drop", emb_drop), ("masking", masking)]:
            require(
                is_finite(share) and 0 <= share < 1,
                f"{name} must be in [0, 1); got {share!r}.",
            )
        require(len(embeddings) + n_numbers >= 1, "There is no column to learn from.")
        self.embeddings = nn.ModuleList(embedding(rows, width) for rows, width in embeddings)
        self.emb_drop = nn.Dropout(emb_drop)
        norm = nn.BatchNorm1d if preset == "lesson" else BatchNorm
        self.numbers_norm = norm(n_numbers) if n_numbers else None
        self.bins = PiecewiseLinear(borders) if any(len(one) > 1 for one in borders) else None
        self.register_buffer("missing", torch.tensor([rows - 1 for rows, _ in embeddings], dtype=torch.int32))
        self.masking = masking
        width = sum(width for _, width in embeddings) + n_numbers + (self.bins.width if self.bins else 0)
        blocks: list[nn.Module] = []
        for at, hidden in enumerate(layers):
            blocks += [nn.Linear(width, hidden, bias=preset == "lesson"), nn.ReLU(), norm(hidden)]
            blocks += [nn.Dropout(ps[at])] if ps and ps[at] else []
            width = hidden
        self.layers = nn.Sequential(*blocks, nn.Linear(width, n_outputs))
        self.linear = LinearPart(n_numbers, n_outputs) if linear else None
        self.y_range = None if y_range is None else (float(y_range[0]), float(y_range[1]))
        self._config: dict[str, Any] = {
            "embeddings": [list(one) for one in embeddings],
            "n_numbers": n_numbers,
            "n_outputs": n_outputs,
            "layers": list(layers),
            "ps": list(ps),
            "emb_drop": emb_drop,
            "y_range": None if y_range is None else list(y_range),
            "preset": preset,
            "borders": [list(one) for one in borders],
            "masking": masking,
            "linear": linear,
        }

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """Outputs, (rows, n_outputs), of category codes, (rows, categories) int32, and numbers, (rows, n_numbers)."""
        parts = []
        if len(self.embeddings):
            codes = self._masked(categories) if self.training and self.masking else categories
            vectors = [table(codes[:, at]) for at, table in enumerate(self.embeddings)]
            parts.append(self.emb_drop(torch.cat(vectors, dim=1)))
        if self.numbers_norm is not None:
            parts.append(self.numbers_norm(numbers))
        if self.bins is not None:
            parts.append(self.bins(numbers))
        outputs: Tensor = self.layers(torch.cat(parts, dim=1))
        if self.linear is not None:
            outputs = outputs + self.linear(numbers)
        return outputs if self.y_range is None else sigmoid_range(outputs, *self.y_range)

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        """Embeddings, then everything on top of them."""
        vectors = list(self.embeddings.parameters())
        known = {id(parameter) for parameter in vectors}
        return [vectors, [parameter for parameter in self.parameters() if id(parameter) not in known]]

    def config(self) -> dict[str, Any]:
        """The arguments that make an empty copy."""
        return self._config

    def _masked(self, codes: Tensor) -> Tensor:
        """Some codes hidden: half of them behind the unknown, half behind the missing."""
        chance = torch.rand(codes.shape, device=codes.device)
        codes = torch.where(chance < self.masking / 2, torch.zeros_like(codes), codes)
        missing = self.get_buffer("missing").to(codes.dtype)
        return torch.where(chance > 1 - self.masking / 2, missing, codes)


def check_layers(layers: Any) -> None:
    """Raise a sentence unless `layers` is widths, each a whole number of 1 or more."""
    several = isinstance(layers, Sequence) and not isinstance(layers, str)
    shown = list(layers) if several else layers
    require(
        several and len(layers) >= 1 and all(is_whole(width, 1) for width in layers),
        f"layers is {shown!r}; give at least one width of 1 or more, as [200, 100].",
    )


class LinearPart(nn.Module):
    """A linear function that is given and not learned: its weights are buffers.

    Args:
        n_inputs, n_outputs: numbers that it takes and gives.
    """

    def __init__(self, n_inputs: int, n_outputs: int):
        super().__init__()
        self.weight: Tensor
        self.bias: Tensor
        self.register_buffer("weight", torch.zeros(n_outputs, n_inputs))
        self.register_buffer("bias", torch.zeros(n_outputs))

    def forward(self, numbers: Tensor) -> Tensor:
        """(rows, n_outputs) of (rows, n_inputs)."""
        return nn.functional.linear(numbers, self.weight, self.bias)


class PiecewiseLinear(nn.Module):
    """The bins of all number columns side by side, computed in the net so that only the numbers travel.

    Beside the slopes inside the intervals there is a step at every border between two: a net of slopes alone has to
    follow a target that jumps, as a capital gain's does between amounts, with differences of steep slopes.

    Args:
        borders: of each column, increasing; fewer than two for a column without bins.
    """

    def __init__(self, borders: Sequence[Sequence[float]]):
        super().__init__()
        self.column: Tensor
        self.low: Tensor
        self.scale: Tensor
        self.step_column: Tensor
        self.step: Tensor
        intervals = [(at, low, high) for at, one in enumerate(borders) for low, high in pairwise(one)]
        steps = [(at, border) for at, one in enumerate(borders) for border in one[1:-1]]
        self.width = len(intervals) + len(steps)
        self.register_buffer("column", torch.tensor([at for at, _, _ in intervals]))
        self.register_buffer("low", torch.tensor([low for _, low, _ in intervals], dtype=torch.float32))
        self.register_buffer(
            "scale", torch.tensor([1 / (high - low) for _, low, high in intervals], dtype=torch.float32)
        )
        self.register_buffer("step_column", torch.tensor([at for at, _ in steps], dtype=torch.int64))
        self.register_buffer("step", torch.tensor([border for _, border in steps], dtype=torch.float32))

    def forward(self, numbers: Tensor) -> Tensor:
        """How far each number reaches into each interval, 0 to 1, and which inner borders it has reached, 0 or `STEP`.

        (rows, intervals + inner borders) of (rows, columns).
        """
        reach = ((numbers[:, self.column] - self.low) * self.scale).clamp(0, 1)
        reached = numbers[:, self.step_column] >= self.step
        return torch.cat([reach, reached.to(reach.dtype) * STEP], dim=1)
