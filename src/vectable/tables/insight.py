"""What a net for tables learned, and where it goes wrong."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.tables.table_data import TableData
from vectable.data.tables.targets import ClassTarget
from vectable.data.tensors import TensorSet
from vectable.errors import UnknownNameError, VectableError, did_you_mean, quote_some, require
from vectable.insight.components import principal_components
from vectable.insight.mistakes import confusion_table, worst_rows
from vectable.models.losses import compute_loss
from vectable.training.learner import Learner

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vectable.insight.calibration import Calibration
    from vectable.insight.stability import MapStability


class TabularInsight(Learner):
    """The questions that a learner for tables answers about itself."""

    data: TableData

    @property
    def classes(self) -> list[Any]:
        """The classes in the order of `predict_proba`, of the type that the target had."""
        return self._class_target.classes.to_list()

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

        require(len(self.members) > 1, "Stability compares nets from several seeds: train with n_models=2 or more.")
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
        return self.data.to_native(confusion_table(self._class_target.labels, probabilities, target))

    def calibration(self, n_bins: int = 10) -> "Calibration":
        """Whether the validation rows' probabilities came true as often as they say; `.plot()` draws it.

        Of two classes, the probability of the second; of more, that of the predicted class (Guo et al. 2017).
        """
        from vectable.insight.calibration import calibration

        labels = self._class_target.labels
        probabilities, target = (one.numpy() for one in self._held_out())
        if len(labels) == 2:
            return calibration(probabilities[:, 1], target == 1, n_bins, f"probability of {labels[1]}")
        best = probabilities.argmax(axis=1)
        return calibration(probabilities.max(axis=1), target == best, n_bins, "probability of the predicted class")

    @property
    def _class_target(self) -> ClassTarget:
        target = self.data.target
        if not isinstance(target, ClassTarget):
            raise VectableError("The target is numbers: there are no classes.")
        return target

    def _held_out(self) -> tuple[Tensor, Tensor]:
        """`get_preds` of the validation rows, of which there must be some."""
        require(len(self.data.valid_rows) > 0, "There are no validation rows to look at; hold some out with valid_pct.")
        return self.get_preds()

    def _tables(self, column: str) -> list[NDArray[np.float32]]:
        """Vectors of a category column's values in each net, (categories, width)."""
        at = self._category_at(column)
        count = len(self.data.encoder.categories[column].vocabulary)
        return [_vectors(member, at)[1 : count + 1] for member in self.members]

    def _category_at(self, column: str) -> int:
        names = list(self.data.encoder.categories)
        if column not in names:
            raise UnknownNameError(
                f"There is no category column {column!r}.{did_you_mean(column, names)} "
                f"There are {quote_some(names, 20)}."
            )
        return names.index(column)


def _vectors(net: Any, at: int) -> NDArray[np.float32]:
    """The vectors of a category output by its codes, (codes, width)."""
    weights: NDArray[np.float32] = net.embeddings[at].weight.detach().cpu().numpy()
    return weights
