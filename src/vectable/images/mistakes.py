"""What a learner of photographs gets wrong on its validation photographs."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.images.image_data import ImageData
from vectable.data.images.image_decoding import center_crop
from vectable.errors import require
from vectable.insight.mistakes import confusion_table, draw_confusion, worst_rows
from vectable.training.learner import Learner

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ImageMistakes(Learner):
    """A `Learner` with tables and plots of the validation photographs that it gets wrong."""

    data: ImageData

    def top_losses(self, n: int = 9) -> Any:
        """The validation photographs that the model gets most wrong: file, class, prediction, probability and loss.

        The probability is that of the true class.
        """
        worst, losses, predicted = self._worst(n)
        classes = self.data.classes
        target = self.data.valid.target.cpu().numpy()[worst]
        table = {
            "photograph": [str(self.data.valid.paths[at]) for at in worst],
            "class": [classes[at] for at in target],
            "prediction": [classes[at] for at in predicted.argmax(axis=1)],
            "probability": predicted[np.arange(len(worst)), target],
            "loss": losses,
        }
        return self.data.to_native(pl.DataFrame(table))

    def plot_top_losses(self, n: int = 9, path: str | None = None) -> "Figure":
        """The validation photographs that the model gets most wrong, with prediction, class, loss and probability."""
        from vectable.plotting import photograph_grid

        worst, losses, predicted = self._worst(n)
        rows, classes, pictures, titles = self.data.valid, self.data.classes, [], []
        for at, loss, probabilities in zip(worst, losses, predicted, strict=True):
            target = int(rows.target[at])
            pictures.append(center_crop(rows.picture(at), rows.size))
            predicted_class, true_class = classes[probabilities.argmax()], classes[target]
            titles.append(
                f"{predicted_class}, is {true_class}\nloss {loss:.2f}, probability {probabilities[target]:.2f}"
            )
        return photograph_grid(pictures, titles, path)

    def confusion_matrix(self) -> Any:
        """Validation photographs by class (rows of the table) and prediction (columns)."""
        return self.data.to_native(self._confusion())

    def plot_confusion(self, path: str | None = None) -> "Figure":
        """Draw the confusion matrix."""
        return draw_confusion(self._confusion(), path)

    def _worst(self, n: int) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        return worst_rows(self.data.valid, partial(self.session.outputs, self.model), self.loss_func, n)

    def _confusion(self) -> pl.DataFrame:
        require(len(self.data.valid) > 0, "There are no validation rows to look at; hold some out with valid_pct.")
        return confusion_table(self.data.classes, *self.get_preds())
