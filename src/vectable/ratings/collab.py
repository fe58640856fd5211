"""The application for ratings: who will like what, why, and what the model learned."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch
from torch import Tensor, nn

from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.ratings.ratings_shard import RatingsShard
from vectable.deprecation import renamed_arguments
from vectable.errors import require, warn
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.models.embedding_net import EmbeddingNet
from vectable.models.ensemble import seeded_members
from vectable.models.losses import activation_of
from vectable.models.prediction_range import check_within, choose_range
from vectable.ratings import saved_collab
from vectable.ratings.beside_baselines import baseline_errors, verdict
from vectable.ratings.lists import By, ListRanking
from vectable.ratings.rating_answers import RatingAnswers
from vectable.ratings.rating_rows import codes_of, predict_pairs, take_ratings
from vectable.ratings.saved_collab import HowItAnswers, one_of_members
from vectable.ratings.sharded.learner import ShardedLearner
from vectable.recommending.answer import Notes
from vectable.recommending.item_search import ItemSearch
from vectable.recommending.presenting import warn_of
from vectable.recommending.recommender import Recommender
from vectable.training.learner import Learner, check_arguments
from vectable.training.options import TrainingOptions
from vectable.training.saved_as_folder import needs_training_data
from vectable.training.saving import saved_options

if TYPE_CHECKING:
    from vectable.artifact import Contents


@overload
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
    lists: By = "ratings",
    preset: str = "modern",
    seed: int = 42,
    **learner: Any,
) -> "CollabLearner": ...


@overload
def collab_learner(
    data: RatingsShard,
    n_factors: int = 40,
    y_range: Sequence[float] | str | None = "auto",
    wd: float = 0.1,
    *,
    lists: By = "ratings",
    preset: str = "modern",
    seed: int = 42,
    **learner: Any,
) -> ShardedLearner: ...


def collab_learner(
    data: RatingsData | RatingsShard,
    n_factors: int = 40,
    y_range: Sequence[float] | str | None = "auto",
    wd: float = 0.1,
    *,
    use_nn: bool = False,
    layers: Sequence[int] = (100,),
    widths: tuple[int, int] | None = None,
    dropout: float = 0.0,
    n_models: int = 1,
    lists: By = "ratings",
    preset: str = "modern",
    seed: int = 42,
    **learner: Any,
) -> "CollabLearner | ShardedLearner":
    """A learner for ratings.

    Args:
        data: the ratings; of a `RatingsShard`, the share of a process that torchrun started, the learner is a
            `ShardedLearner`, which trains one dot-product model in all processes.
        n_factors: width of the vectors of users and items.
        y_range: (low, high) of the sigmoid around the prediction, a little outside the scale; "auto" takes an eighth
            of the scale beyond both ends; None leaves the sigmoid out.
        wd: weight decay.
        use_nn: a multi-layer net on the embeddings instead of the dot product.
        layers, widths, dropout: of that net; see `EmbeddingNet`.
        n_models: number of models, trained from different seeds, whose mean predicts.
        lists: what ranks them: "ratings" the predicted rating, "interactions" who would take what: weights between
            items (EASE, or neighbors beyond 10,000 items), fitted to who rated what when the first list is asked for.
            The predicted rating is shown beside. Such lists find what people go on to rate high several times as often;
            see `vectable.recommending.list_ranker`.
        preset: "modern" or "lesson".
        seed: random seed for initialization, batching and dropout.
        learner: further arguments of `Learner`: opt, metrics, device, callbacks, engine, threads, progress.

    Raises:
        VectableError: an argument out of range, or data that is not a `RatingsData`.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, n_factors=40, y_range=(0, 5.5), wd=0.1, progress=False)
        >>> _ = learn.fit_one_cycle(5, 5e-3)
        >>> learn.similar("The Hobbit", n=1)["title"][0]
        'The Fellowship of the Ring (The Lord of the Rings, #1)'
    """
    if isinstance(data, RatingsShard):
        require(not use_nn and n_models == 1, "Several processes train one dot-product model: no use_nn, no n_models.")
        whole = {"n_factors": n_factors, "wd": wd, "lists": lists, "preset": preset, "seed": seed, **learner}
        return _sharded_learner(data, y_range, whole)
    take_ratings(data)
    limits = choose_range(*data.rating_range, y_range)
    sizes = len(data.user_ids), len(data.item_ids)

    def make() -> EmbeddingDotBias | EmbeddingNet:
        if use_nn:
            return EmbeddingNet(*sizes, widths, layers, limits, dropout, preset)
        return EmbeddingDotBias(*sizes, n_factors, limits)

    ranking, members = ListRanking(lists), seeded_members(make, n_models, seed)
    check_arguments(collab_learner, learner)
    options = {"metrics": ["rmse", "mae"], **learner}
    learn = CollabLearner(data, one_of_members(members), wd=wd, preset=preset, seed=seed, **options)
    learn.how = HowItAnswers(list_ranking=ranking)
    return learn


def _sharded_learner(data: RatingsShard, y_range: Sequence[float] | str | None, how: dict[str, Any]) -> ShardedLearner:
    """The learner of a share of the ratings.

    Args:
        how: the other arguments of `collab_learner`, with which process 0 makes the ordinary learner.
    """
    given = {name: value for name, value in how.items() if name not in ("n_factors", "lists")}
    check_arguments(collab_learner, given)
    limits = choose_range(*data.rating_range, y_range)
    metrics, opt = given.pop("metrics", ["rmse", "mae"]), given.pop("opt", TrainingOptions.opt)
    shown = {name: given.pop(name) for name in ("callbacks", "progress") if name in given}
    require(given.pop("device", None) in (None, "cpu"), "Several processes train on the CPU: leave device out.")
    options = TrainingOptions.of(metrics, opt, given)
    ordinary = {name: value for name, value in how.items() if name not in ("callbacks", "engine")}
    make_whole = partial(collab_learner, y_range=limits, **ordinary)
    return ShardedLearner(data, how["n_factors"], limits, options, make_whole=make_whole, **shown)


class CollabLearner(RatingAnswers, Learner):
    """A `Learner` for ratings, with the words that belong to them; made by `collab_learner`.

    Attributes:
        how: what it answers by, beside its model and its data.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> learn = vt.collab_learner(data, progress=False).fit_one_cycle(1, 5e-3)
        >>> learn.recommend(1200, n=3)["title"].len()
        3
        >>> learn.explain(1200, "The Hobbit").columns
        ['term', 'meaning', 'item', 'title', 'your_rating', 'ratings', 'points']
        >>> learn.fold_in({"The Hobbit": 5}).recommend(2)["title"].len()
        2
    """

    how = HowItAnswers()
    _recommender: Recommender | None = None

    @property
    def recommender(self) -> Recommender:
        """Answers from the weights as they are now."""
        if self._recommender is None:
            self._recommender = Recommender(
                self.model,
                self.data,
                clips=self.how.clips,
                likeness=self.how.likeness,
                noise=self.how.noise,
                lists=partial(self.how.list_ranking.ranker, self.data),
            )
        return self._recommender

    # ---------------------------------------------------------------- how good is it

    @needs_training_data
    def validate(self) -> dict[str, Any]:
        """Loss, rmse and mae on the validation ratings; the same for the baselines, under "baselines".

        The baselines are the mean of all training ratings, and that mean plus the biases of user and item. Warns where
        the model does not beat them.
        """
        measured = {**super().validate(), "baselines": baseline_errors(self.data, self.recommender.baseline)}
        if (message := verdict(measured)) is not None:
            warn(message)
        return measured

    @renamed_arguments(with_spread="return_std")
    def predict(self, df: Any, return_std: bool = False, *, raw: bool = False) -> Any:
        """Predicted ratings, (rows,) float32, of a table with the user and item columns.

        A user or item that is not in the training data counts as the average one; their number is warned of.

        Args:
            df: items may be ids or titles.
            return_std: also the standard deviation over the members of an ensemble, (rows,).
            raw: leave predictions that lie beyond the rating scale as they are, instead of clipping them.
        """
        notes = Notes()
        _, users, items = codes_of(self.data, df, notes)
        warn_of(notes)
        each = np.stack([predict_pairs(member, users, items) for member in self.recommender.model.members])
        predicted = self.recommender.shown(each.mean(axis=0) if len(each) > 1 else each[0], raw)
        return (predicted, each.std(axis=0)) if return_std else predicted

    # ---------------------------------------------------------------- growing

    @needs_training_data
    @renamed_arguments(n_epoch="n_epochs")
    def update(self, new_df: Any, n_epochs: int = 1, lr: float | None = None) -> "CollabLearner":
        """Take in new ratings and continue training, on all ratings.

        Vocabularies grow; new users and items start as average ones. The optimizer continues where it was.

        Args:
            new_df: known items may be named by their titles.
            n_epochs: 0 takes the rows in without training.
            lr: constant learning rate; by default a fifth of the highest of the latest fit.
        """
        with self.session.growing():
            self.session.data = data = self.data.with_more(new_df)
            if self.model.limits is not None:
                check_within(*data.rating_range, self.model.limits)
            with self.session.seeded("grow", self.epochs_done):
                self.model.grow(len(data.user_ids), len(data.item_ids))
            self._forget_answers()
        if n_epochs == 0:
            self.model.fill_unknown()
            return self
        last = self.recorder.runs[-1].lrs.max() / 5 if self.recorder.runs else 1e-3
        self.fit(n_epochs, float(last) if lr is None else lr)
        return self

    # ---------------------------------------------------------------- training and saving, with what must follow

    def _forget_answers(self) -> None:
        self._recommender = None

    def _check_data(self, data: Any) -> None:
        """Raise a `VectableError` for ratings of other users or items than the model has rows for."""
        take_ratings(data)
        require(
            data.vocabularies() == self.data.vocabularies(),
            "These ratings have other users or items than the model has rows for: add rows to it with update(df), or "
            "make a new learner with collab_learner(data).",
        )

    def _serving_settings(self) -> dict[str, Any]:
        return {"noise": [prior.noise for prior in self.recommender.priors]}

    def _to_onnx(self) -> Any:
        from vectable.exporting.learners import model_of_ratings

        return model_of_ratings(self.model, activation_of(self.loss_func), self.data)

    def to_contents(self) -> "Contents":
        """Everything a saved folder holds: the ratings and vocabularies among it."""
        contents = super().to_contents()
        contents.settings |= {"config": self.model.config(), "n_models": len(self.members)}
        saved_collab.save_ratings(contents, self.data)
        self.how.save(contents, self.data)
        return contents

    def _search_parts(self) -> "tuple[dict[str, Any], dict[str, Tensor]]":
        if not isinstance(self.model, EmbeddingDotBias) or self.how.list_ranking.by != "ratings":
            return super()._search_parts()
        items, users = (self.model.vectors(of_items).cpu().numpy() for of_items in (True, False))
        settings, arrays = ItemSearch.of(items, self.model.biases(True).cpu().numpy(), users[1:]).to_saved()
        return settings, {name: torch.from_numpy(one) for name, one in arrays.items()}

    @classmethod
    def from_contents(cls, contents: "Contents", model: nn.Module | None = None, **more: Any) -> "CollabLearner":
        """The learner back from a saved folder's contents."""
        data = saved_collab.ratings_from(contents)
        model = saved_collab.model_from(contents, data) if model is None else model
        learn = cls(data, model, **saved_options(contents.settings, more))
        learn.how = HowItAnswers.from_saved(contents, data, len(learn.members))
        super(CollabLearner, learn).take_state(contents)  # of the model and the data just made of it
        return learn

    def take_state(self, contents: "Contents") -> None:
        """Take weights, optimizer state and history from a saved folder's contents.

        Raises:
            ArtifactError: the folder is of other users or items, or its model of another make.
        """
        saved_collab.check_is_of(contents, self.model, self.data)
        super().take_state(contents)
        self._forget_answers()
