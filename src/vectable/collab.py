"""The application for ratings: who will like what, why, and what the model learned."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import nn

from vectable.data.frames import to_polars
from vectable.data.ratings import Ratings, RatingsData
from vectable.errors import ArtifactError, is_whole, require, require_columns
from vectable.insight.components import principal_components
from vectable.insight.neighbours import nearest
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.models.embedding_net import EmbeddingNet
from vectable.models.ensemble import Ensemble
from vectable.models.prediction_range import check_within, choose_range
from vectable.recommending.folded_user import FoldedUser
from vectable.recommending.names import find_codes, tell_unknown
from vectable.recommending.ranking import rank_all_items, same_for_all
from vectable.recommending.recommender import Recommender, check_length
from vectable.training.learner import Learner
from vectable.training.metrics import mae, rmse
from vectable.training.saving import saved_options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    model = members[0] if n_models == 1 else Ensemble(members)
    return CollabLearner(data, model, wd=wd, preset=preset, seed=seed, **{"metrics": ["rmse", "mae"], **learner})


class CollabLearner(Learner):
    """A `Learner` for ratings, with the words that belong to them; made by `collab_learner`."""

    data: RatingsData

    @property
    def recommender(self) -> Recommender:
        """Answers from the weights as they are now."""
        if self._recommender is None:
            self._recommender = Recommender(self.model, self.trainees, self.data)
        return self._recommender

    _recommender: Recommender | None = None

    # ---------------------------------------------------------------- how good is it

    def validate(self) -> dict[str, Any]:
        """Loss, rmse and mae on the validation ratings; the same for the baselines, under "baselines".

        The baselines are the mean of all training ratings, and that mean plus the biases of user and item.
        """
        held_out = self.data.valid_ratings
        guesses = {
            "global mean": np.full(len(held_out), self.data.mean_rating),
            "biases": self.recommender.baseline.predict(held_out.user, held_out.item),
        }
        return {
            **super().validate(),
            "baselines": {name: _errors(held_out, guess) for name, guess in guesses.items()},
        }

    def ranking(self, k: int = 10, relevant: float | None = None) -> dict[str, Any]:
        """NDCG, recall and hit rate at `k` over all items, seen ones left out, beside popularity and bias alone.

        Args:
            relevant: held-out ratings of at least this much are what a list should find; by default the training mean.
        """
        scorers = {
            "model": self.recommender.scores,
            "popularity": same_for_all(self.data.item_counts),
            "bias": same_for_all(self.recommender.baseline.item_bias),
        }
        return rank_all_items(self.data, scorers, k, relevant)

    def predict(self, df: Any, with_spread: bool = False) -> Any:
        """Predicted ratings, (rows,) float32, of a table with the user and item columns; a user or item that training
        never showed counts as the average one, and how many there were is told.

        Args:
            with_spread: also the standard deviation over the members of an ensemble, (rows,).
        """
        frame, _ = to_polars(df)
        columns = self.data.columns
        require_columns([columns.user, columns.item], frame.columns, "The table")
        users = self.data.user_ids.encode(frame[columns.user])
        items = self.data.item_ids.encode(frame[columns.item])
        tell_unknown(columns.user, users)
        tell_unknown(columns.item, items)
        rows = Ratings(users, items, np.zeros(len(users), dtype=np.float32)).tensors()
        each = torch.stack([self._outputs(model, rows) for model in self.trainees]).numpy()
        predicted = each.mean(axis=0) if len(each) > 1 else each[0]
        return (predicted, each.std(axis=0)) if with_spread else predicted

    # ---------------------------------------------------------------- what did it learn

    def bias(self, names: Iterable[Any], is_item: bool = True) -> NDArray[np.float32]:
        """Biases of items (or users) by id or title, (names,): how far above what factors explain they are rated."""
        codes = find_codes(self.data, names, is_item)
        return self._rater.biases(is_item).cpu().numpy()[codes]  # type: ignore[no-any-return]

    def weight(self, names: Iterable[Any], is_item: bool = True) -> NDArray[np.float32]:
        """Factors of items (or users) by id or title, (names, n_factors); an ensemble's members side by side."""
        codes = find_codes(self.data, names, is_item)
        return self._rater.vectors(is_item).cpu().numpy()[codes]  # type: ignore[no-any-return]

    def biases(self, top: int = 1000) -> Any:
        """The `top` most-rated items: bias beside plain mean rating and number of ratings, highest bias first."""
        codes = self._most_rated(top)
        bias = self._rater.biases(True).cpu().numpy()[codes]
        shown = self.data.item_frame(
            codes, bias=bias, mean_rating=self.data.item_means[codes], ratings=self.data.item_counts[codes]
        )
        return self.data.native(shown.sort("bias", descending=True))

    def components(self, k: int = 3, top: int = 1000) -> tuple[Any, NDArray[np.float64]]:
        """The `top` most-rated items on the first `k` principal components of their factors.

        Returns:
            A table with a column a component ("factor 0", ...), and the share of variance each explains, (k,).
        """
        codes = self._most_rated(top)
        scores, shares = principal_components(self._item_vectors()[codes], k)
        columns = {f"factor {at}": scores[:, at] for at in range(k)}
        return self.data.native(self.data.item_frame(codes, **columns)), shares

    def map(self, x: int = 0, y: int = 1, show: int = 50, top: int = 1000, path: str | None = None) -> "Figure":
        """The `show` most-rated items on components `x` and `y` (found over the `top` most-rated), with their names."""
        from vectable.insight.factor_map import labelled_map

        codes = self._most_rated(top)
        scores, shares = principal_components(self._item_vectors()[codes], max(x, y) + 1)
        names = [f"factor {at} ({shares[at]:.0%} of the variance)" for at in (x, y)]
        labels = self.data.item_names(codes[:show]).to_list()
        return labelled_map(scores[:show][:, [x, y]], labels, (names[0], names[1]), path)

    def similar(self, item: Any, n: int = 10) -> Any:
        """The `n` items whose factors point the way of those of `item` (id or title), by cosine."""
        check_length(n)
        code = int(find_codes(self.data, [item], True, must_exist=True)[0])
        codes, cosines = nearest(self._item_vectors(), code, n)
        return self.data.native(self.data.item_frame(codes, similarity=cosines))

    def explain(self, user: Any, item: Any, n: int = 5) -> Any:
        """Why this prediction: a table of terms that add up to it, in rating points.

        "mean" is what the average user gives the average item; "user" and "item" how far these two are from average;
        "taste" how well they suit each other, of which the `n` seen items that contribute most follow, with the rest.
        """
        return self.recommender.explain(user, item, n)

    # ---------------------------------------------------------------- recommending

    def recommend(
        self,
        user: Any,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] | None = None,
        min_ratings: int = 0,
    ) -> Any:
        """The `n` items with the highest predicted rating for one user.

        A user that training never showed gets what the average user likes best, and the caller is told.

        Args:
            user: id.
            exclude_seen: leave out what the user rated in training.
            candidates: only these items (ids or titles).
            exclude: none of these.
            min_ratings: only items with at least so many training ratings.

        Returns:
            A table of items, best first, with the prediction and the number of ratings each has.
        """
        return self.recommender.recommend(user, n, exclude_seen, candidates, exclude, min_ratings)

    def recommend_many(
        self,
        users: Iterable[Any] | None = None,
        n: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Iterable[Any] | None = None,
        min_ratings: int = 0,
    ) -> Any:
        """The same for many users (all known ones by default), a row a user and item, in blocks of bounded memory."""
        return self.recommender.recommend_many(users, n, exclude_seen, candidates, exclude, min_ratings)

    def fold_in(self, ratings: Mapping[Any, float]) -> FoldedUser:
        """A user the model never saw, from a few ratings by item id or title; nothing is trained, nothing is kept."""
        return self.recommender.fold_in(ratings)

    # ---------------------------------------------------------------- growing, exporting

    def update(self, new_df: Any, n_epoch: int = 1, lr: float | None = None) -> "CollabLearner":
        """Take in tomorrow's ratings and train on from here, on all ratings.

        Vocabularies grow; new users and items start as average ones. The optimizer goes on where it was.

        Args:
            n_epoch: 0 takes the rows in without training.
            lr: constant learning rate; by default a fifth of the highest of the latest fit.
        """
        self._prepare_engines()
        states = [engine.state() for engine in self._engines]
        self.data = self.data.with_more(new_df)
        limits = self._rater.config()["y_range"]
        if limits is not None:
            check_within(*self.data.rating_range, (limits[0], limits[1]))
        with self._seeded("grow", self.epochs_done):
            self._rater.grow(len(self.data.user_ids), len(self.data.item_ids))
        self._recommender = None
        self._engines = [self._make_engine(model) for model in self.trainees]
        for engine, state in zip(self._engines, states, strict=True):
            engine.load_state(state)
        if n_epoch == 0:
            self._rater.fill_unknown()
            return self
        last = self.recorder.runs[-1].lrs.max() / 5 if self.recorder.runs else 1e-3
        self.fit(n_epoch, float(last) if lr is None else lr)
        return self

    def export_vectors(self, path: str | Path, is_item: bool = True) -> list[Path]:
        """Write id, name, number of ratings, bias and factors of every item (or user).

        `.parquet`, `.arrow` and `.csv` give one table; `.tsv` the pair that the TensorBoard projector reads: the
        vectors, and beside them `..._metadata.tsv`.

        Returns:
            The files written.
        """
        from vectable.insight.vectors import export_vectors

        data, ids = self.data, self.data.item_ids if is_item else self.data.user_ids
        codes = np.arange(1, len(ids), dtype=np.int32)
        counts = data.item_counts if is_item else np.diff(data.by_user[0])
        about = data.item_frame(codes) if is_item else pl.DataFrame({data.columns.user: ids.vocabulary})
        about = about.with_columns(pl.Series("ratings", counts[1:]))
        if not isinstance(self.trainees[0], EmbeddingNet):
            about = about.with_columns(pl.Series("bias", self._rater.biases(is_item).cpu().numpy()[1:]))
        return export_vectors(Path(path), about, self._rater.vectors(is_item).cpu().numpy()[1:])

    # ---------------------------------------------------------------- training and saving, with what must follow

    def _fit(self, *args: Any, **kwargs: Any) -> Learner:
        try:
            super()._fit(*args, **kwargs)
        finally:
            self._recommender = None
        return self

    def _to_onnx(self) -> Any:
        from vectable.exporting.learners import model_of_ratings

        return model_of_ratings(self)

    def to_contents(self) -> "Contents":
        """Everything a saved folder holds: the ratings and vocabularies among it."""
        contents = super().to_contents()
        contents.kind = "ratings"
        contents.settings |= {"config": self._rater.config(), "n_models": len(self.trainees)}
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
            model = members[0] if len(members) == 1 else Ensemble(members)
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
        self._recommender = None

    # ---------------------------------------------------------------- inside

    @property
    def _rater(self) -> Any:
        """The model, known to have rows for users and items."""
        return self.model

    def _most_rated(self, top: int) -> NDArray[np.int32]:
        counts = self.data.item_counts
        return np.argsort(-counts[1:], kind="stable")[:top].astype(np.int32) + 1

    def _item_vectors(self) -> NDArray[np.float32]:
        return self._rater.vectors(True).cpu().numpy()  # type: ignore[no-any-return]


def _errors(held_out: Ratings, guess: NDArray[np.float64]) -> dict[str, float]:
    if len(held_out) == 0:
        return dict.fromkeys(("valid_loss", "rmse", "mae"), float("nan"))
    error = rmse(guess, held_out.rating)
    return {"valid_loss": error**2, "rmse": error, "mae": mae(guess, held_out.rating)}
