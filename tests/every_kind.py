"""A small learner of every kind that is saved, and the questions that it is asked: for tests of folders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

import vectable as vt

Question = Callable[[Any], Any]

OF_RATINGS = (
    "dot product",
    "dot product with lists by interactions",
    "ensemble",
    "net",
    "posterior",
    "posterior with lists by interactions",
    "ordinal posterior with histories",
    "posterior with days",
)
OF_INTERACTIONS = ("ALS", "EASE", "neighbours", "next item", "SASRec")
OF_ROWS = ("classes", "numbers", "images")
WITHOUT_REASONS = ("SASRec",)
"""Kinds whose scores are no sums."""
SMALL_NET = {"width": 16, "n_blocks": 1, "max_length": 8, "epochs": 2, "device": "cpu"}


@dataclass(frozen=True)
class EveryKind:
    """Learners of one made-up set of ratings, tables and images.

    Attributes:
        n_users, n_items, each: users, items, and ratings of each user.
    """

    n_users: int = 150
    n_items: int = 130
    each: int = 12

    @cached_property
    def ratings(self) -> pl.DataFrame:
        """Shuffled rows of user (text), item (number), rating 1 to 5 and day."""
        rng = np.random.default_rng(0)
        items = np.concatenate([rng.permutation(self.n_items)[: self.each] for _ in range(self.n_users)])
        frame = pl.DataFrame(
            {
                "user": np.repeat([f"u{at}" for at in range(self.n_users)], self.each),
                "item": items,
                "rating": rng.integers(1, 6, len(items)) * 1.0,
                "day": np.arange(len(items)) // 7,
            }
        )
        return frame.sample(fraction=1.0, shuffle=True, seed=0)

    @cached_property
    def films(self) -> pl.DataFrame:
        """Titles, and genres that are missing for every other item."""
        titles = [f"Film é {at}" for at in range(self.n_items)]
        genres = [None if at % 2 else "a" for at in range(self.n_items)]
        return pl.DataFrame({"item": np.arange(self.n_items), "title": titles, "genre": genres})

    @cached_property
    def rows(self) -> pl.DataFrame:
        """What is predicted."""
        return self.ratings[:30].join(self.films, on="item")

    @cached_property
    def pictures(self) -> np.ndarray:
        """Twelve grey images, (12, 28, 28) uint8."""
        return np.random.default_rng(1).integers(0, 255, (12, 28, 28), dtype=np.uint8)

    def make(self, name: str) -> Any:
        """A trained learner of the kind."""
        return self._makers[name]()

    @property
    def names(self) -> list[str]:
        """All kinds."""
        return list(self._makers)

    def questions(self, name: str) -> list[Question]:
        """What a learner of the kind is asked; answers are frames, arrays or lists of numbers."""
        if name == "images":
            return [lambda one: [found.probabilities["a"] for found in one.predict(list(self.pictures[:3]))]]
        if name in OF_ROWS:
            return [lambda one: one.predict(self.rows)]
        basket: Any = {"Film é 3": 5, 7: 1} if name in OF_RATINGS else ["Film é 3", 7]
        asked: list[Question] = [
            lambda one: one.recommend("u7", 5),
            lambda one: one.recommend("u7", 5, max_per={"genre": 2}, diversity=0.3, min_ratings=3),
            lambda one: one.recommend_many(["u3", "u5"], 4),
            lambda one: one.similar("Film é 3", 5),
            *([] if name in WITHOUT_REASONS else [lambda one: one.explain("u7", 9)]),
            lambda one: one.fold_in(basket).recommend(5),
        ]
        if name in OF_RATINGS:
            asked += [
                lambda one: one.predict(self.rows),
                lambda one: one.recommend_many(n=3),
                lambda one: one.fold_in(basket).explain(9),
            ]
        if name.endswith("posterior"):
            asked.append(lambda one: one.predict_interval(self.rows))
        return asked

    @property
    def _makers(self) -> Mapping[str, Callable[[], Any]]:
        return {
            "dot product": self._trained,
            "dot product with lists by interactions": lambda: self._trained(lists="interactions"),
            "ensemble": lambda: self._trained(n_models=2),
            "net": lambda: self._trained(use_nn=True, layers=[6]),
            "posterior": self._sampled,
            "posterior with lists by interactions": lambda: self._sampled(lists="interactions"),
            "ordinal posterior with histories": lambda: self._sampled(likelihood="ordinal", history=True),
            "posterior with days": lambda: self._sampled(user_day_bias=True),
            "ALS": lambda: self._of_interactions(vt.implicit_learner, model="als"),
            "EASE": lambda: self._of_interactions(vt.implicit_learner, model="ease"),
            "neighbours": lambda: self._of_interactions(vt.implicit_learner, model="neighbours"),
            "next item": lambda: self._of_interactions(vt.next_item_learner),
            "SASRec": lambda: self._of_interactions(vt.next_item_learner, model="sasrec", sasrec=SMALL_NET),
            "classes": lambda: self._of_rows("stars", n_models=2),
            "numbers": lambda: self._of_rows("rating"),
            "images": self._of_images,
        }

    def _data(self) -> vt.RatingsData:
        rng = np.random.default_rng(2)
        readers = {"user": [f"u{at}" for at in range(self.n_users)], "age": rng.integers(18, 70, self.n_users)}
        return vt.RatingsData.from_df(
            self.ratings, items=self.films, users=pl.DataFrame(readers), title="title", timestamp="day"
        )

    def _trained(self, **more: Any) -> Any:
        return vt.collab_learner(self._data(), 5, progress=False, seed=0, **more).fit_one_cycle(2, 5e-3)

    def _sampled(self, **more: Any) -> Any:
        return vt.bayes_collab_learner(self._data(), 3, 12, burn_in=5, progress=False, **more).fit()

    def _of_interactions(self, make: Callable[..., Any], **more: Any) -> Any:
        data = vt.InteractionsData.from_df(
            self.ratings, "user", "item", timestamp="day", items=self.films, title="title"
        )
        return make(data, progress=False, **more).fit()

    def _of_rows(self, target: str, **more: Any) -> Any:
        frame = self.ratings.join(self.films, on="item").with_columns(pl.col("rating").cast(pl.String).alias("stars"))
        other = "rating" if target == "stars" else "stars"
        data = vt.TableData.from_df(frame.drop("title", other), target, cat_names=["user", "genre"], seed=0)
        return vt.tabular_learner(data, layers=[8], progress=False, seed=0, **more).fit(1, 1e-2)

    def _of_images(self) -> Any:
        data = vt.ImageData.from_arrays(self.pictures, list("abababababab"), valid_pct=0.3, batch_size=4)
        return vt.vision_learner(data, "fashion-small", progress=False, seed=0).fit(1, 1e-3)


def as_json(answer: Any) -> Any:
    """An answer as JSON values."""
    if isinstance(answer, pl.DataFrame):
        return answer.to_dict(as_series=False)
    return np.asarray(answer).tolist()


def same(one: Any, other: Any) -> bool:
    """Whether two answers are equal, to the bit."""
    if isinstance(one, pl.DataFrame):
        return one.equals(other)
    return bool(np.array_equal(np.asarray(one), np.asarray(other)))
