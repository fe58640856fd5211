"""The application for tables: from rows of mixed columns to predictions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.artifact import Contents
from vectable.data.io.frames import to_numpy, to_polars
from vectable.data.tables.drift import Drift
from vectable.data.tables.table_data import TableData
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.targets import ClassTarget
from vectable.data.tensors import Inputs
from vectable.errors import UnknownNameError, did_you_mean, quote_some, require, warn
from vectable.models.ensemble import Ensemble, seeded_members
from vectable.models.layers import embedding_width
from vectable.models.losses import activation_of
from vectable.models.tabular import TabularModel
from vectable.models.wide import in_64_bits
from vectable.tables.defaults import WEIGHT_DECAY
from vectable.tables.insight import TabularInsight
from vectable.tables.net_start import bin_borders, normalized_range, start_at_ridge, start_at_the_mean
from vectable.tables.saving import add_table, net_of, table_of
from vectable.training.learner import check_arguments
from vectable.training.saving import saved_options

NUMBERS_A_ROW = 16


def tabular_learner(
    data: TableData,
    layers: Sequence[int] = (200, 100),
    ps: Sequence[float] | None = None,
    emb_drop: float = 0.0,
    y_range: Sequence[float] | None = None,
    metrics: Sequence[Any] | None = None,
    wd: float = WEIGHT_DECAY,
    *,
    emb_widths: Mapping[str, int] | None = None,
    masking: float = 0.01,
    linear: bool = False,
    loss_func: Any = None,
    n_models: int = 1,
    preset: str = "modern",
    seed: int = 42,
    **learner: Any,
) -> "TabularLearner":
    """A learner for tables.

    Args:
        data: the table.
        layers: width of each hidden layer.
        ps: dropout after each; by default none.
        emb_drop: dropout on the embeddings.
        y_range: (low, high) of a sigmoid around predicted numbers, in the target's own units.
        metrics: names or functions; by default accuracy for classes, rmse and mae for numbers, which are in the
            target's own units, a logarithm undone (of several numbers, over all of them). The loss is of the
            normalized target.
        wd: weight decay.
        emb_widths: width of a category's vectors by column; by default the preset's rule, with "modern" at most 16 for
            each row in which a category stands in the mean.
        masking: share of the categories hidden in training, so that unknown and missing ones are learned.
        linear: whether the net learns what a ridge regression on the numbers leaves: worth it where rows are few and
            all columns are numbers.
        loss_func: by default cross-entropy for classes, mean squared error for numbers.
        n_models: number of nets from different seeds that are averaged at prediction time.
        preset: "modern" or "lesson".
        seed: random seed for initialization, batching and dropout.
        learner: further arguments of `Learner`.

    Examples:
        >>> import vectable as vt
        >>> census = vt.datasets.load("adult")
        >>> learn = vt.tabular_learner(census.to_data(), progress=False).fit_one_cycle(1, 1e-2)
        >>> learn.validate()["accuracy"] > 0.8
        True
    """
    _check_data(data)
    encoder, classes = data.encoder, isinstance(data.target, ClassTarget)
    config: dict[str, Any] = {
        "embeddings": _embedding_sizes(encoder, emb_widths or {}, preset, len(data.train_rows)),
        "n_numbers": len(encoder.numbers),
        "n_outputs": data.target.n_outputs,
        "layers": layers,
        "ps": list(ps or []),
        "emb_drop": emb_drop,
        "y_range": normalized_range(data.target, y_range),
        "preset": preset,
        "borders": bin_borders(encoder),
        "masking": masking,
        "linear": linear,
    }
    if linear:
        require(not classes and len(encoder.numbers) > 0, "linear=True is for numbers, predicted from numbers.")
        require(len(data.train_rows.to_keep()) > 0, "linear=True needs the rows in memory; leave it out.")

    def make() -> nn.Module:
        net = TabularModel(**config)
        if preset == "modern":
            start_at_the_mean(net, data)
        if linear:
            start_at_ridge(net, data)
        return net

    members = seeded_members(make, n_models, seed)
    model = members[0] if n_models == 1 else Ensemble(members, logits=classes)
    loss = loss_func or (nn.CrossEntropyLoss() if classes else nn.MSELoss())
    chosen = metrics if metrics is not None else (["accuracy"] if classes else ["rmse", "mae"])
    check_arguments(tabular_learner, learner)
    return TabularLearner(data, model, loss, chosen, wd=wd, preset=preset, seed=seed, **learner)


class TabularLearner(TabularInsight):
    """A `Learner` for tables, with the words that belong to them; made by `tabular_learner`.

    Examples:
        >>> import vectable as vt
        >>> census = vt.datasets.load("adult")
        >>> learn = vt.tabular_learner(census.to_data(), progress=False).fit_one_cycle(1, 1e-2)
        >>> learn.predict(census.test.head(2)).shape
        (2,)
        >>> learn.categories("sex")
        ['Female', 'Male']
    """

    def predict(self, df: Any) -> Any:
        """The likeliest class, or the number, of each row of a raw table, (rows,) or (rows, numbers); of a dict, one.

        Unknown categories, missing values where training had none, extra and reordered columns are all right; what was
        new is counted in a warning.
        """
        decoded = self.data.target.decode(self.outputs(df))
        values = to_numpy(decoded) if isinstance(decoded, pl.Series) else decoded
        return values[0] if _is_row(df) else values

    def predict_proba(self, df: Any) -> NDArray[np.float32]:
        """Probability of each class (in the order of `classes`), (rows, classes); of a dict, (classes,)."""
        require(
            isinstance(self.data.target, ClassTarget), "Probabilities belong to classes, and the target is numbers."
        )
        probabilities = self.outputs(df)
        return probabilities[0] if _is_row(df) else probabilities

    def outputs(self, df: Any, double: bool = False) -> NDArray[Any]:
        """What the net says of a raw table or a dict, with the loss's activation, (rows, outputs).

        Args:
            double: compute with 64 bits instead of 32, at twice the cost: then a row's outputs are the same to 14
                digits, whichever rows stand beside it.
        """
        codes, numbers, drift = self._encoded(df)
        if drift:
            warn(f"{drift}; they are predicted as unknown or missing.")
        model = in_64_bits(self.model) if double else self.model
        inputs = (torch.from_numpy(codes), torch.from_numpy(numbers).to(torch.float64 if double else torch.float32))
        outputs = self.session.outputs(model, Inputs(inputs))
        predicted: Tensor = activation_of(self.loss_func)(outputs)
        return predicted.numpy()

    def drift(self, df: Any) -> Drift:
        """What a table or a dict holds that is not in the training data, counted by column."""
        return self._encoded(df)[2]

    def to_contents(self) -> Contents:
        """Everything a saved folder holds: the encoders among it, the raw rows not."""
        contents = super().to_contents()
        add_table(contents, self.data, self.members)
        return contents

    @classmethod
    def from_contents(cls, contents: Contents, model: nn.Module | None = None, **more: Any) -> "TabularLearner":
        """The learner back from a saved folder's contents."""
        data = table_of(contents)
        learn = cls(data, model or net_of(contents, data), **saved_options(contents.settings, more))
        learn.take_state(contents)
        return learn

    def _to_onnx(self) -> Any:
        from vectable.exporting.learners import model_of_table

        return model_of_table(self.model, activation_of(self.loss_func), self.data.encoder, self.data.target)

    def _encoded(self, df: Any) -> tuple[NDArray[np.int32], NDArray[np.float32], Drift]:
        """Codes, numbers and what is new of a raw table, or of a dict as one row."""
        encoder = self.data.encoder
        return encoder.encode_one(_named_by_text(df)) if _is_row(df) else encoder.encode(to_polars(df)[0])

    def _check_data(self, data: Any) -> None:
        """Raise a `VectableError` for a table that was encoded otherwise than the one the net was made for."""
        _check_data(data)
        require(
            data.encoder.to_json() == self.data.encoder.to_json()
            and data.target.to_json() == self.data.target.to_json(),
            "This table has other columns, categories or scales than the net was made for: make a new learner for it, "
            "or predict its rows with predict(df).",
        )


def _check_data(data: Any) -> None:
    kind = type(data).__name__
    hint = " Of ratings, collab_learner makes one." if kind == "RatingsData" else ""
    require(
        isinstance(data, TableData),
        f"A learner for tables needs TableData, and was given a {kind}: TableData.from_df(df, target=...).{hint}",
    )


def _embedding_sizes(
    encoder: TableEncoder, widths: Mapping[str, int], preset: str, n_rows: int
) -> list[tuple[int, int]]:
    """Codes and width of each category's vectors: as given by column, else by the preset's rule.

    The rule of "modern" would give a million categories 600 numbers each, 2.4 GB, of which rows fill few: a column has
    no more numbers than `NUMBERS_A_ROW` for each training row.
    """

    def width(n_values: int) -> int:
        rule = embedding_width(n_values + 1, preset)
        return rule if preset == "lesson" else min(rule, max(NUMBERS_A_ROW * n_rows // max(n_values, 1), 1))

    for name in widths:
        if name not in encoder.categories:
            hint = did_you_mean(name, encoder.categories)
            raise UnknownNameError(
                f"There is no category column {name!r}.{hint} There are {quote_some(encoder.categories, 20)}."
            )
    return [(len(one), widths.get(name, width(len(one.vocabulary)))) for name, one in encoder.categories.items()]


def _named_by_text(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    """A row whose columns are named by text, as pandas may name them by numbers."""
    return row if all(type(name) is str for name in row) else {str(name): value for name, value in row.items()}


def _is_row(df: Any) -> bool:
    """Whether this is one row (a mapping from columns to single values) rather than a table."""
    return isinstance(df, Mapping) and all(isinstance(one, str) or not hasattr(one, "__len__") for one in df.values())
