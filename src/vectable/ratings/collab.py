"""The application for ratings: who will like what, why, and what the model learned."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.tensors import Inputs
from vectable.deprecation import renamed_arguments
from vectable.errors import ArtifactError, is_whole, require
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.models.embedding_net import EmbeddingNet
from vectable.models.ensemble import RatingEnsemble
from vectable.models.losses import activation_of
from vectable.models.prediction_range import check_within, choose_range
from vectable.ratings.rating_answers import RatingAnswers
from vectable.recommending.recommender import Recommender
from vectable.training.learner import Learner, check_arguments
from vectable.training.saving import saved_options

if TYPE_CHECKING:
    from vectable.artifact import Contents

MODELS = {"EmbeddingDotBias": EmbeddingDotBias, "EmbeddingNet": EmbeddingNet}


def collab_learner(
    data: RatingsData,
    n_factors: int = 40,
    y_range: Sequence[float] | str | None = "auto",
    wd: float = 0.1,
    *,
    use_nn: bool = False,
    layers: Sequence[int] = (100,),
    widths: tuple[int, int] | None = None,
    dropout: float = 0.0,
    n_models: int = 1,
    preset: str = "modern",
    seed: int = 42,
    **learner: Any,
) -> "CollabLearner":
    """A learner for ratings.

    Args:
        data: the ratings.
        n_factors: width of the vectors of users and items.
        y_range: (low, high) of the sigmoid around the prediction, a little outside the scale; "auto" takes an eighth
            of the scale beyond both ends; None leaves the sigmoid out.
        wd: weight decay.
        use_nn: a multi-layer net on the embeddings instead of the dot product.
        layers, widths, dropout: of that net; see `EmbeddingNet`.
        n_models: so many models from different seeds, whose mean predicts.
        preset: "modern" or "lesson".
        seed: of the start, the batches and the dropout.
        learner: further arguments of `Learner`: opt, metrics, device, callbacks, engine, threads, progress.

    Raises:
        VectableError: an argument out of range.
    """
    require(is_whole(n_models, 1), f"n_models is {n_models!r}; it is a whole number, 1 or more.")
    limits = choose_range(*data.rating_range, y_range)
    with torch.random.fork_rng(devices=[]):
        members: list[nn.Module] = []
        for member in range(n_models):
            torch.manual_seed(seed + 1000 * member)
            sizes = len(data.user_ids), len(data.item_ids)
            if use_nn:
                members.append(EmbeddingNet(*sizes, widths, layers, limits, dropout, preset))
            else:
                members.append(EmbeddingDotBias(*sizes, n_factors, limits))
    model = members[0] if n_models == 1 else RatingEnsemble(members)
    check_arguments(collab_learner, learner)
    return CollabLearner(data, model, wd=wd, preset=preset, seed=seed, **{"metrics": ["rmse", "mae"], **learner})


class CollabLearner(RatingAnswers, Learner):
    """A `Learner` for ratings, with the words that belong to them; made by `collab_learner`."""

    data: RatingsData

    @property
    def recommender(self) -> Recommender:
        """Answers from the weights as they are now."""
        if self._recommender is None:
            self._recommender = Recommender(self.model, self.members, self.data)
        return self._recommender

    _recommender: Recommender | None = None

    # ---------------------------------------------------------------- how good is it

    def validate(self) -> dict[str, Any]:
        """Loss, rmse and mae on the validation ratings; the same for the baselines, under "baselines".

        The baselines are the mean of all training ratings, and that mean plus the biases of user and item.
        """
        return {**super().validate(), "baselines": self._baseline_errors()}

    def predict(self, df: Any, with_spread: bool = False) -> Any:
        """Predicted ratings, (rows,) float32, of a table with the user and item columns; a user or item that training
        never showed counts as the average one, and how many there were is told.

        Args:
            with_spread: also the standard deviation over the members of an ensemble, (rows,).
        """
        _, users, items = self._codes_of(df)
        rows = Inputs((torch.from_numpy(users), torch.from_numpy(items)))
        each = torch.stack([self.session.outputs(model, rows) for model in self.members]).numpy()
        predicted = each.mean(axis=0) if len(each) > 1 else each[0]
        return (predicted, each.std(axis=0)) if with_spread else predicted

    # ---------------------------------------------------------------- growing

    @renamed_arguments(n_epoch="n_epochs")
    def update(self, new_df: Any, n_epochs: int = 1, lr: float | None = None) -> "CollabLearner":
        """Take in tomorrow's ratings and train on from here, on all ratings.

        Vocabularies grow; new users and items start as average ones. The optimizer goes on where it was.

        Args:
            n_epochs: 0 takes the rows in without training.
            lr: constant learning rate; by default a fifth of the highest of the latest fit.
        """
        with self.session.growing():
            self.session.data = data = self.data.with_more(new_df)
            limits = self._rater.config()["y_range"]
            if limits is not None:
                check_within(*data.rating_range, (limits[0], limits[1]))
            with self.session.seeded("grow", self.epochs_done):
                self._rater.grow(len(data.user_ids), len(data.item_ids))
            self._forget_answers()
        if n_epochs == 0:
            self._rater.fill_unknown()
            return self
        last = self.recorder.runs[-1].lrs.max() / 5 if self.recorder.runs else 1e-3
        self.fit(n_epochs, float(last) if lr is None else lr)
        return self

    # ---------------------------------------------------------------- training and saving, with what must follow

    def _forget_answers(self) -> None:
        self._recommender = None

    def _check_data(self, data: Any) -> None:
        """Raise a `VectableError` for ratings of other users or items than the model has rows for."""
        require(isinstance(data, RatingsData), f"data is {data!r:.80}; a model of ratings needs RatingsData.")
        require(
            data.vocabularies() == self.data.vocabularies(),
            "These ratings know other users or items than the model: take new ones in with update(...), or make a new "
            "learner.",
        )

    def _to_onnx(self) -> Any:
        from vectable.exporting.learners import model_of_ratings

        return model_of_ratings(self.model, activation_of(self.loss_func), self.data)

    def to_contents(self) -> "Contents":
        """Everything a saved folder holds: the ratings and vocabularies among it."""
        contents = super().to_contents()
        contents.kind = "ratings"
        contents.settings |= {"config": self._rater.config(), "n_models": len(self.members), "about": repr(self.data)}
        data_tensors, data_tables, data_settings = self.data.to_saved()
        contents.tensors |= data_tensors
        contents.tables |= data_tables
        contents.settings["data"] = data_settings
        return contents

    @classmethod
    def from_contents(cls, contents: "Contents", model: nn.Module | None = None, **more: Any) -> "CollabLearner":
        """The learner back from a saved folder's contents."""
        settings = contents.settings
        if model is None:
            make, config = MODELS[settings["model"]], settings["config"]
            members = [make(**config) for _ in range(settings["n_models"])]
            model = members[0] if len(members) == 1 else RatingEnsemble(members)
        data = RatingsData.from_saved(contents.tensors, contents.tables, settings["data"])
        learn = cls(data, model, **saved_options(settings, more))
        learn.take_state(contents)
        return learn

    def take_state(self, contents: "Contents") -> None:
        """Take weights, optimizer state and history from a saved folder's contents.

        Raises:
            ArtifactError: the folder is of other users or items, or its model of another make.
        """
        if contents.kind != "ratings" or contents.settings["config"] != self._rater.config():
            theirs, ours = contents.settings.get("config"), self._rater.config()
            raise ArtifactError(f"The saved model is another: {theirs} there, and {ours} here. Use load_learner.")
        if contents.tables["vocabularies"] != self.data.vocabularies():
            raise ArtifactError(
                "The saved model knows other users or items than this learner's data. Use load_learner."
            )
        super().take_state(contents)
        self._forget_answers()

    # ---------------------------------------------------------------- inside

    @property
    def _rater(self) -> Any:
        return self.model

    @property
    def _has_biases(self) -> bool:
        return not isinstance(self.members[0], EmbeddingNet)
