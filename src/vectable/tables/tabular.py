"""The application for tables: from rows of mixed columns to predictions, and what the categories turned out to be."""

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vectable.data.io.frames import to_numpy, to_polars
from vectable.data.tables.drift import Drift
from vectable.data.tables.table_data import TableData
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.targets import ClassTarget, NumberTarget
from vectable.data.tensors import Inputs, TensorSet
from vectable.errors import UnknownNameError, VectableError, did_you_mean, is_whole, quote_some, require, warn
from vectable.insight.components import principal_components
from vectable.insight.mistakes import confusion_table, worst_rows
from vectable.models.ensemble import Ensemble
from vectable.models.factorisation_machine import FactorisationMachine
from vectable.models.layers import embedding_width
from vectable.models.losses import activation_of, compute_loss
from vectable.models.prediction_range import choose_range
from vectable.models.tabular import TabularModel
from vectable.tables.defaults import FACTORISATION_WEIGHT_DECAY, WEIGHT_DECAY
from vectable.training.learner import Learner, check_arguments
from vectable.training.saving import saved_options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vectable.artifact import Contents
    from vectable.insight.calibration import Calibration
    from vectable.insight.stability import MapStability

MODELS = {"TabularModel": TabularModel, "FactorisationMachine": FactorisationMachine}


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
            normalised target.
        wd: weight decay.
        emb_widths: width of a category's vectors by column; by default the preset's rule.
        masking: share of the categories hidden in training, so that unknown and missing ones are learned.
        loss_func: by default cross-entropy for classes, mean squared error for numbers.
        n_models: so many from different seeds, whose mean predicts.
        preset: "modern" or "lesson".
        seed: of the start, the batches and the dropout.
        learner: further arguments of `Learner`.
    """
    _check_data(data)
    require(isinstance(n_models, int) and n_models >= 1, f"n_models is {n_models!r}; it is a number, 1 or more.")
    encoder, classes = data.encoder, isinstance(data.target, ClassTarget)
    widths = dict(emb_widths or {})
    for name in widths:
        if name not in encoder.categories:
            hint = did_you_mean(name, encoder.categories)
            raise UnknownNameError(
                f"There is no category column {name!r}.{hint} There are {quote_some(encoder.categories, 20)}."
            )
    sizes = [
        (len(one), widths.get(name, embedding_width(len(one.vocabulary) + 1, preset)))
        for name, one in encoder.categories.items()
    ]
    config: dict[str, Any] = {
        "embeddings": sizes,
        "n_numbers": len(encoder.numbers),
        "n_outputs": data.target.n_outputs,
        "layers": layers,
        "ps": list(ps or []),
        "emb_drop": emb_drop,
        "y_range": _normalised_range(data.target, y_range),
        "preset": preset,
        "borders": _borders(encoder),
        "masking": masking,
    }
    with torch.random.fork_rng(devices=[]):
        members = []
        for member in range(n_models):
            torch.manual_seed(seed + 1000 * member)
            members.append(TabularModel(**config))
            if preset == "modern":
                _start_at_the_mean(members[-1], data)
    model: nn.Module = members[0] if n_models == 1 else Ensemble(members, logits=classes)
    loss = loss_func or (nn.CrossEntropyLoss() if classes else nn.MSELoss())
    chosen = metrics if metrics is not None else (["accuracy"] if classes else ["rmse", "mae"])
    check_arguments(tabular_learner, learner)
    return TabularLearner(data, model, loss, chosen, wd=wd, preset=preset, seed=seed, **learner)


def factorisation_learner(
    data: TableData,
    n_factors: int = 40,
    y_range: Sequence[float] | str | None = "auto",
    wd: float = FACTORISATION_WEIGHT_DECAY,
    *,
    n_models: int = 1,
    seed: int = 42,
    **learner: Any,
) -> "TabularLearner":
    """A learner for ratings with more columns than user and item: a factorisation machine on a table of one number.

    Args:
        data: the table.
        n_factors: width of the vectors.
        y_range: (low, high) of a sigmoid around the ratings; "auto" takes an eighth of the scale beyond both ends; None
            leaves it out.
        wd: weight decay.
        n_models: so many from different seeds, whose mean predicts.
        seed: of the start and the batches.
        learner: further arguments of `Learner`.
    """
    require(is_whole(n_models, 1), f"n_models is {n_models!r}; it is a whole number, 1 or more.")
    encoder, target = data.encoder, data.target
    require(isinstance(target, NumberTarget) and target.n_outputs == 1, "A factorisation machine predicts one number.")
    limits = choose_range(float(target.low[0]), float(target.high[0]), y_range)  # type: ignore[union-attr]
    last = data.train_rows.highest_codes()
    sizes = [len(one) for one in encoder.categories.values()]
    config: dict[str, Any] = {
        "embeddings": sizes,
        "shows_missing": [bool(code == size - 1) for code, size in zip(last, sizes, strict=True)],
        "n_numbers": len(encoder.numbers),
        "n_factors": n_factors,
        "y_range": _normalised_range(target, limits),
        "borders": _borders(encoder),
    }
    with torch.random.fork_rng(devices=[]):
        members: list[nn.Module] = []
        for member in range(n_models):
            torch.manual_seed(seed + 1000 * member)
            members.append(FactorisationMachine(**config))
    model = members[0] if n_models == 1 else Ensemble(members)
    return TabularLearner(data, model, nn.MSELoss(), **{"metrics": ["rmse"], **learner}, wd=wd, seed=seed)


class TabularLearner(Learner):
    """A `Learner` for tables, with the words that belong to them; made by `tabular_learner`."""

    data: TableData

    # ---------------------------------------------------------------- predicting

    def predict(self, df: Any) -> Any:
        """The likeliest class, or the number, of each row of a raw table, (rows,) or (rows, numbers); of a dict, one.

        Categories never seen, holes where training had none, extra and reordered columns are all right; what was new is
        counted and told.
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
        encoder = self.data.encoder
        codes, numbers, drift = (
            encoder.encode_one(_named_by_text(df)) if _is_row(df) else encoder.encode(to_polars(df)[0])
        )
        if drift:
            warn(f"{drift}; they are predicted as unknown or missing.")
        model = copy.deepcopy(self.model).double() if double else self.model
        inputs = (torch.from_numpy(codes), torch.from_numpy(numbers).to(torch.float64 if double else torch.float32))
        outputs = self.session.outputs(model, Inputs(inputs))
        predicted: Tensor = activation_of(self.loss_func)(outputs)
        return predicted.numpy()

    @property
    def classes(self) -> list[Any]:
        """The classes in the order of `predict_proba`, of the type that the target had."""
        return self._class_target.classes.to_list()

    @property
    def _labels(self) -> list[str]:
        """The classes as text."""
        return self._class_target.labels

    @property
    def _class_target(self) -> ClassTarget:
        if not isinstance(self.data.target, ClassTarget):
            raise VectableError("The target is numbers: there are no classes.")
        return self.data.target

    def drift(self, df: Any) -> Drift:
        """What a table holds that training never showed, counted by column."""
        encoder = self.data.encoder
        return (encoder.encode_one(_named_by_text(df)) if _is_row(df) else encoder.encode(to_polars(df)[0]))[2]

    # ---------------------------------------------------------------- what did it learn

    def weight(self, column: str) -> NDArray[np.float32]:
        """Vectors of a category column's values in the order of `categories(column)`, (categories, width).

        An ensemble's members side by side.
        """
        return np.concatenate(self._tables(column), axis=1)

    def categories(self, column: str) -> list[Any]:
        """The values of a category column that training showed."""
        self._category_at(column)
        return self.data.encoder.categories[column].vocabulary.to_list()

    def embedding_map(self, column: str, path: str | None = None, order: bool = False) -> "Figure":
        """A category column's values on the two first principal components of their vectors, with their names.

        Args:
            order: join them in their order (weekdays, months).
        """
        from vectable.insight.factor_map import labelled_map

        vectors = self.weight(column)
        require(
            min(vectors.shape) >= 2,
            f"A map needs two dimensions; {column!r} has {vectors.shape[0]} values of width {vectors.shape[1]}.",
        )
        points, shares = principal_components(vectors, 2)
        names = [f"component {at} ({share:.0%} of the variance)" for at, share in enumerate(shares)]
        labels = [str(value) for value in self.categories(column)]
        figure = labelled_map(points, labels, (names[0], names[1]), None, title=column)
        if order:
            figure.axes[0].plot(points[:, 0], points[:, 1], lw=0.8, alpha=0.6)
        from vectable.plotting import save

        return save(figure, path)

    def map_stability(self, column: str) -> "MapStability":
        """Whether the map of a category column means anything: how alike it is in every net of an ensemble.

        Needs nets from several seeds, ``tabular_learner(data, n_models=4)``; see `vectable.insight.map_stability`.
        """
        from vectable.insight.stability import map_stability

        require(len(self._nets) > 1, "Stability compares nets from several seeds: train with n_models=2 or more.")
        return map_stability(self._tables(column), self.categories(column))

    def feature_importance(self, repeats: int = 3) -> Any:
        """How much the validation loss grows when a column is shuffled: a table, the most important first.

        Args:
            repeats: shuffles a column, whose mean and standard deviation are given.
        """
        from vectable.insight.importance import permutation_importance

        def loss_of(rows: TensorSet) -> float:
            return float(compute_loss(self.loss_func, self.session.outputs(self.model, rows), rows.target))

        return self.data.to_native(permutation_importance(self.data.valid, self.data.encoder, loss_of, repeats))

    def top_losses(self, n: int = 10) -> Any:
        """The validation rows that the model gets most wrong, with the prediction and the loss of each."""
        rows = self.data.valid
        worst, losses, outputs = worst_rows(rows, partial(self.session.outputs, self.model), self.loss_func, n)
        predicted = self.data.target.decode(outputs)
        frame = self.data.valid_frame
        if len(frame) != len(self.data.valid_rows):  # a loaded model has the encoded rows alone
            frame = self.data.decode(self.data.valid_rows)
        shown = frame[worst]
        columns = [pl.Series("loss", losses)]
        if isinstance(predicted, pl.Series) or predicted.ndim == 1:
            columns.insert(0, pl.Series("prediction", predicted))
        return self.data.to_native(pl.DataFrame(columns).hstack(shown.drop("prediction", "loss", strict=False)))

    def confusion_matrix(self) -> Any:
        """Validation rows by class (rows of the table) and prediction (columns)."""
        probabilities, target = self._held_out()
        return self.data.to_native(confusion_table(self._labels, probabilities, target))

    def calibration(self, n_bins: int = 10) -> "Calibration":
        """Whether the validation rows' probabilities came true as often as they say; `.plot()` draws it.

        Of two classes, the probability of the second; of more, that of the predicted class (Guo et al. 2017).
        """
        from vectable.insight.calibration import calibration

        labels = self._labels
        probabilities, target = (one.numpy() for one in self._held_out())
        if len(labels) == 2:
            return calibration(probabilities[:, 1], target == 1, n_bins, f"probability of {labels[1]}")
        best = probabilities.argmax(axis=1)
        return calibration(probabilities.max(axis=1), target == best, n_bins, "probability of the predicted class")

    # ---------------------------------------------------------------- saving

    def _to_onnx(self) -> Any:
        from vectable.exporting.learners import model_of_table

        return model_of_table(self.model, activation_of(self.loss_func), self.data.encoder, self.data.target)

    def to_contents(self) -> "Contents":
        """Everything a saved folder holds: the encoders among it, the rows not."""
        contents = super().to_contents()
        contents.kind = "table"
        contents.settings |= {
            "config": self._nets[0].config(),
            "n_models": len(self.members),
            "data": {"kind": self.data.kind, "batch_size": self.data.batch_size},
            "about": repr(self.data),
            "kinds": {name: [one.kind, one.why] for name, one in self.data.kinds.items()},
            "target": self.data.target.to_json(),
        }
        contents.tables["encoder"] = self.data.encoder.to_json()
        contents.tensors["rows"] = {
            f"{part}.{name}": torch.from_numpy(getattr(rows, name))
            for part, rows in (("train", self.data.train_rows.to_keep()), ("valid", self.data.valid_rows))
            for name in ("categories", "numbers", "target", "weights")
            if getattr(rows, name) is not None
        }
        return contents

    @classmethod
    def from_contents(cls, contents: "Contents", model: nn.Module | None = None, **more: Any) -> "TabularLearner":
        """The learner back from a saved folder's contents."""
        from vectable.data.encoders.kinds import Kind
        from vectable.data.tables.table_rows import TableRows
        from vectable.data.tables.targets import target_from_json

        settings = contents.settings
        target = target_from_json(settings["target"])
        arrays = {name: value.numpy() for name, value in contents.tensors["rows"].items()}
        train, valid = (
            TableRows(
                arrays[f"{part}.categories"],
                arrays[f"{part}.numbers"],
                arrays[f"{part}.target"],
                arrays.get(f"{part}.weights"),
            )
            for part in ("train", "valid")
        )
        encoder = TableEncoder.from_json(contents.tables["encoder"])
        kinds = {name: Kind(*one) for name, one in settings["kinds"].items()}
        data = TableData(train, valid, encoder, target, kinds, pl.DataFrame(), **settings["data"])
        if model is None:
            make = MODELS[settings["model"]]
            members = [make(**settings["config"]) for _ in range(settings["n_models"])]
            model = members[0] if len(members) == 1 else Ensemble(members, logits=isinstance(target, ClassTarget))
        learn = cls(data, model, **saved_options(settings, more))
        learn.take_state(contents)
        return learn

    # ---------------------------------------------------------------- inside

    def _check_data(self, data: Any) -> None:
        """Raise a `VectableError` for a table that was encoded otherwise than the one the net was made for."""
        _check_data(data)
        require(
            data.encoder.to_json() == self.data.encoder.to_json()
            and data.target.to_json() == self.data.target.to_json(),
            "This table has other columns, categories or scales than the net was made for: make a new learner for it, "
            "or predict its rows with predict(df).",
        )

    def _held_out(self) -> tuple[Tensor, Tensor]:
        """`get_preds` of the validation rows, of which there must be some."""
        require(len(self.data.valid_rows) > 0, "There are no validation rows to look at; hold some out with valid_pct.")
        return self.get_preds()

    @property
    def _nets(self) -> list[Any]:
        return list(self.members)

    def _tables(self, column: str) -> list[NDArray[np.float32]]:
        """Vectors of a category column's values in each net, (categories, width)."""
        at = self._category_at(column)
        count = len(self.data.encoder.categories[column].vocabulary)
        return [member.embeddings[at].weight.detach().cpu().numpy()[1 : count + 1] for member in self._nets]

    def _category_at(self, column: str) -> int:
        names = list(self.data.encoder.categories)
        if column not in names:
            raise UnknownNameError(
                f"There is no category column {column!r}.{did_you_mean(column, names)} "
                f"There are {quote_some(names, 20)}."
            )
        return names.index(column)


def _check_data(data: Any) -> None:
    kind = type(data).__name__
    hint = " Of ratings, collab_learner makes one." if kind == "RatingsData" else ""
    require(
        isinstance(data, TableData),
        f"A learner for tables needs TableData, and was given a {kind}: TableData.from_df(df, target=...).{hint}",
    )


def _borders(encoder: TableEncoder) -> list[list[float]]:
    """Borders of each number's bins, in normalized units; none where there are none."""
    return [[] if one.bins is None else one.bins.borders.tolist() for one in encoder.numbers.values()]


def _named_by_text(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    """A row whose columns are named by text, as pandas may name them by numbers."""
    return row if all(type(name) is str for name in row) else {str(name): value for name, value in row.items()}


def _is_row(df: Any) -> bool:
    """Whether this is one row, a mapping from columns to single values, and no table."""
    return isinstance(df, Mapping) and all(isinstance(one, str) or not hasattr(one, "__len__") for one in df.values())


def _start_at_the_mean(model: TabularModel, data: TableData) -> None:
    """Let a net's last bias begin at the training rows' mean: of classes, each as often as it weighs; of a number in a
    y_range, the mean (of its logarithm) instead of the middle of the range."""
    last, rows = model.layers[-1], data.train_rows
    if isinstance(data.target, ClassTarget):
        shares = np.bincount(rows.target, rows.weights, minlength=data.target.n_outputs)
        logs = np.log(np.maximum(shares / shares.sum(), 1e-12))
        start = torch.from_numpy(logs - logs.mean())
    elif model.y_range is not None:
        low, high = model.y_range
        share = (np.average(rows.target, weights=rows.weights) - low) / (high - low)
        start = torch.logit(torch.tensor([share]), eps=1e-6)  # a mean outside the range begins at its edge
    else:
        return
    with torch.no_grad():
        last.bias.copy_(start)  # type: ignore[operator]


def _normalised_range(target: Any, y_range: Sequence[float] | None) -> list[float] | None:
    """The range in the units of the model's output."""
    if y_range is None:
        return None
    if not isinstance(target, NumberTarget):
        raise VectableError("y_range bounds numbers, and the target is classes; leave it out.")
    bounds = np.log1p(np.asarray(y_range, dtype=float)) if target.log else np.asarray(y_range, dtype=float)
    require(
        bounds.shape == (2,) and bounds[0] < bounds[1], f"y_range is {y_range!r}; it is (low, high), low below high."
    )
    require(len(target.names) == 1, "y_range bounds one number, and there are several targets.")
    return [float(bound) for bound in (bounds - target.mean[0]) / target.std[0]]
