"""A trained SASRec as a model of histories."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vectable.errors import VectableError
from vectable.factorising.history_models import FactorRows
from vectable.factorising.sparse_rows import SparseRows
from vectable.interactions.sasrec_training import SASRecOptions, padded
from vectable.models.sasrec import SASRec

Floats = NDArray[np.float32]

USERS_AT_A_TIME = 256


@dataclass(frozen=True)
class SequenceModel:
    """What a net expects after the last item of a history.

    Attributes:
        net: trained.
        options: it was trained with.
        epochs: that it was trained for, up to the best validation.
    """

    net: SASRec
    options: SASRecOptions
    epochs: int

    @property
    def n_items(self) -> int:
        """Number of items, the unknown among them."""
        return self.net.items.num_embeddings

    @property
    def item_vectors(self) -> Floats:
        """The items' embeddings, (items, width)."""
        return np.asarray(self.net.items.weight.detach().cpu().numpy(), dtype=np.float32)

    def user_rows(self, histories: SparseRows) -> FactorRows:
        """What the net expects after the last item of each history; zeros after none."""
        rows = np.zeros((len(histories), self.net.items.embedding_dim), dtype=np.float32)
        device = self.net.items.weight.device
        some = np.flatnonzero(histories.lengths > 0)
        some = some[np.argsort(histories.lengths[some], kind="stable")]  # so that a batch is filled little
        self.net.eval()
        with torch.inference_mode():
            for first in range(0, len(some), USERS_AT_A_TIME):
                users = some[first : first + USERS_AT_A_TIME]
                items = padded(histories, users, self.options.max_length).to(device)
                last = (items > 0).sum(1) - 1
                after = self.net(items)[torch.arange(len(users), device=device), last]
                rows[users] = after.float().cpu().numpy()
        return FactorRows(rows)

    def score_rows(self, rows: FactorRows) -> Floats:
        """Inner products with the items' embeddings, (users, items)."""
        return np.asarray(rows.factors @ self.item_vectors.T)

    def contributions(self, items: NDArray[Any], counts: Floats, target: int) -> NDArray[np.float64]:
        """There are none.

        Raises:
            VectableError: always.
        """
        raise VectableError(
            "SASRec's score is no sum over what was met, so it has no exact reason to show: similar(item) shows items "
            "with like embeddings, and next_item_learner(data, 'linear') explains each of its scores."
        )
