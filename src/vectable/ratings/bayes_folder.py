"""A learner of draws as what its saved folder holds, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings import saved_ratings
from vectable.data.ratings.rating_features import RatingFeatures
from vectable.data.ratings.ratings_data import RatingsData
from vectable.folder_schema import PartError, mapping, part
from vectable.ratings.drawn_answers import DrawnAnswers
from vectable.ratings.lists import ListRanking
from vectable.ratings.saved_posterior import checked_arrays, checked_history, checked_settings
from vectable.sampling.day_biases import offset_keys
from vectable.sampling.directions import Directions
from vectable.sampling.options import SamplingOptions
from vectable.sampling.record import DrawRecord, part_of
from vectable.sampling.units import Units

if TYPE_CHECKING:
    from vectable.artifact import Contents
    from vectable.folder_schema import Numbers

Arrays = dict[str, NDArray[Any]]
SIDES = ("user", "item")


@dataclass(frozen=True)
class BayesFolder:
    """What a saved folder of draws holds.

    Attributes:
        data, options, features, groups: what the draws are of; the added items are in the data's vocabulary.
        record: the draws.
        chains: the chains' state, from which sampling continues.
        added: rows of items added after sampling.
        history: figures of the fit so far.
        units: of the ratings, where a serving folder says them.
        measured_noise: variance of a rating about its expectation, where a serving folder says it.
        ranking: what ranks the lists.
    """

    data: RatingsData
    options: SamplingOptions
    features: RatingFeatures
    groups: tuple[Sequence[Directions], Sequence[Directions]]
    record: DrawRecord
    chains: Mapping[str, NDArray[Any]]
    added: Sequence[NDArray[Any]]
    history: list[dict[str, float]]
    units: Units | None = None
    measured_noise: float | None = None
    ranking: ListRanking = field(default_factory=ListRanking)

    def answers(self) -> DrawnAnswers:
        """What answers from the draws.

        Raises:
            PartError: there are none.
        """
        if self.record.n_kept == 0:
            raise PartError("draws holds no draw")
        units = self.units or Units.of(self.data.train_ratings.rating, self.options.is_ordinal)
        train = self.data.train_ratings
        keys = None
        if self.options.user_day_bias and train.time is not None:
            keys = offset_keys(train.user, train.time)
        about = units, self.features, self.groups, keys, self.measured_noise, self.ranking
        return DrawnAnswers(self.record.draws(), list(self.added), self.data, *about)

    def to_contents(self) -> "Contents":
        """The contents of the folder."""
        import torch

        from vectable.artifact import Contents

        tensors, tables, data_settings = saved_ratings.to_saved(self.data)
        arrays: dict[str, Mapping[str, NDArray[Any]]] = {
            **self.record.to_arrays(),
            "chains": self.chains,
            "directions": {
                f"{side}.{at}.{name}": one
                for side, groups in zip(SIDES, self.groups, strict=True)
                for at, group in enumerate(groups)
                for name, one in vars(group).items()
            },
            "added": {str(at): one for at, one in enumerate(self.added)},
        }
        tensors |= {
            name: {key: torch.from_numpy(np.ascontiguousarray(one)) for key, one in of_file.items()}
            for name, of_file in arrays.items()
        }
        list_settings, list_tensors = self.ranking.to_saved(self.data)
        tensors |= list_tensors
        settings = {
            **list_settings,
            "model": "PosteriorDotBias",
            "config": self.options.to_json(),
            "data": data_settings,
            "about": repr(self.data),
            "every": [kept.every for kept in self.record.kept],
            "summed": self.record.summed,
        }
        tables |= {"features": self.features.to_json(), "epochs": self.history}
        return Contents("posterior", settings, tensors, tables)

    @classmethod
    def from_contents(cls, contents: "Contents") -> "BayesFolder":
        """What a folder's contents hold."""
        return cls.from_parts(contents.settings, contents.tensors, contents.tables)

    @classmethod
    def from_parts(
        cls, saved: Mapping[str, Any], tensors: Mapping[str, Mapping[str, "Numbers"]], tables: Mapping[str, Any]
    ) -> "BayesFolder":
        """What the settings, the files of numbers and the JSON tables of a folder hold.

        Raises:
            PartError: a part is missing or does not fit the others.
        """
        settings = checked_settings(saved)
        data = saved_ratings.from_saved(tensors, tables, settings["data"])
        features = RatingFeatures.from_json(part(tables, "features", mapping))
        options = SamplingOptions.from_json(settings["config"])
        arrays = checked_arrays(tensors, features, data, settings)
        groups: tuple[list[Directions], list[Directions]] = ([], [])
        for side, listed in zip(SIDES, groups, strict=True):
            while group := part_of(arrays["directions"], f"{side}.{len(listed)}."):
                listed.append(Directions(**group))
        record = DrawRecord(options)
        record.load_arrays(arrays, settings["every"], settings["summed"])
        added = [arrays["added"][str(at)] for at in range(len(arrays["added"]))]
        history = checked_history(tables)
        units = None if settings["units"] is None else Units(**settings["units"], categories=None)
        served = units, settings["noise"], ListRanking.from_saved(saved, tensors, data)
        return cls(data, options, features, groups, record, arrays["chains"], added, history, *served)
