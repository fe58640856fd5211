"""What the saved folder of a rating learner holds beyond its weights, and the parts of a learner made of it again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from torch import nn

from vectable.data.ratings import saved_ratings
from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import ArtifactError
from vectable.folder_schema import PartError, boolean, list_of, mapping, number, one_of, part, whole
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.models.embedding_net import EmbeddingNet
from vectable.models.ensemble import RatingEnsemble
from vectable.models.losses import CLASS_LOSSES, LOSSES
from vectable.models.saved_model import model_from_saved
from vectable.ratings.lists import ListRanking
from vectable.recommending.likeness import FACTORS_ALONE, Likeness
from vectable.training.saved_state import weights_in

if TYPE_CHECKING:
    from vectable.artifact import Contents

MODELS: dict[str, type[EmbeddingDotBias] | type[EmbeddingNet]] = {
    "EmbeddingDotBias": EmbeddingDotBias,
    "EmbeddingNet": EmbeddingNet,
}


@dataclass(frozen=True)
class HowItAnswers:
    """What a rating learner answers by, beside its model and its data.

    Attributes:
        clips: whether predictions are clipped to the rating scale where nothing else is asked for. Models that an older
            version saved do not clip: they answer as they did.
        likeness: what makes two items alike; of models that an older version saved their factors alone.
        list_ranking: what ranks the lists.
        noise: variance of a rating around the prediction, of each member; of a serving folder, which has no held-out
            ratings to estimate it from. None: estimated from the data.
    """

    clips: bool = True
    likeness: Likeness = field(default_factory=Likeness)
    list_ranking: ListRanking = field(default_factory=ListRanking)
    noise: Sequence[float] | None = None

    def save(self, contents: "Contents", data: RatingsData) -> None:
        """Add it to the contents of a folder."""
        list_settings, list_tensors = self.list_ranking.to_saved(data)
        contents.settings |= {"clips": self.clips, "likeness": asdict(self.likeness), **list_settings}
        contents.tensors |= list_tensors

    @classmethod
    def from_saved(cls, contents: "Contents", data: RatingsData, n_members: int) -> "HowItAnswers":
        """Read it from the contents of a folder."""
        settings, noise = contents.settings, None
        if "noise" in settings:
            noise = part(settings, "noise", list_of(number(0), n_members, n_members), "settings.")
        likeness = FACTORS_ALONE
        if "likeness" in settings:
            likeness = Likeness(**part(settings, "likeness", Likeness.SAVED, "settings."))
        clips = boolean(settings.get("clips", False), "settings.clips")
        return cls(clips, likeness, ListRanking.from_saved(settings, contents.tensors, data), noise)


def save_ratings(contents: "Contents", data: RatingsData) -> None:
    """Add ratings and vocabularies to the contents of a folder."""
    tensors, tables, settings = saved_ratings.to_saved(data)
    contents.kind = "ratings"
    contents.settings |= {"about": repr(data), "data": settings}
    contents.tensors |= tensors
    contents.tables |= tables


def ratings_from(contents: "Contents") -> RatingsData:
    """The ratings of a saved folder."""
    settings = part(contents.settings, "data", mapping, "settings.")
    return saved_ratings.from_saved(contents.tensors, contents.tables, settings)


def one_of_members(
    members: Sequence[EmbeddingDotBias | EmbeddingNet],
) -> EmbeddingDotBias | EmbeddingNet | RatingEnsemble:
    """The model itself where there is one, and their ensemble where there are several."""
    return members[0] if len(members) == 1 else RatingEnsemble(members)


def model_from(contents: "Contents", data: RatingsData) -> nn.Module:
    """The model of a saved folder, without its weights, known to have rows for the users and items of its ratings."""
    settings = contents.settings
    one_of(None, *(name for name in LOSSES if LOSSES[name] not in CLASS_LOSSES))(
        settings.get("loss_func"), "settings.loss_func"
    )
    make = MODELS[part(settings, "model", one_of(*MODELS), "settings.")]
    config = part(settings, "config", make.CONFIG, "settings.")
    n_models = part(settings, "n_models", whole(1), "settings.")
    sizes = (len(data.user_ids), len(data.item_ids))
    if (config["n_users"], config["n_items"]) != sizes:
        raise PartError(
            f"settings.config is of {config['n_users']:,} users and {config['n_items']:,} items, the "
            f"unknown among them, and the vocabularies of {sizes[0]:,} and {sizes[1]:,}"
        )

    def build() -> nn.Module:
        return one_of_members([make(**config) for _ in range(n_models)])

    return model_from_saved(build, weights_in(contents), n_models * (1 + len(config.get("layers", ()))))


def check_is_of(contents: "Contents", model: Any, data: RatingsData) -> None:
    """Raise an `ArtifactError` unless a folder's weights belong to a model of this make, for these users and items."""
    if contents.kind != "ratings" or contents.settings.get("config") != model.config():
        theirs, ours = contents.settings.get("config"), model.config()
        raise ArtifactError(f"The saved model is another: {theirs} there, and {ours} here. Use load_learner.")
    if contents.tables.get("vocabularies") != data.vocabularies():
        raise ArtifactError("The saved model knows other users or items than this learner's data. Use load_learner.")
