"""A net for photographs, ready to answer as JSON values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from vectable.data.images.image_decoding import Picture, decode_image
from vectable.errors import require

if TYPE_CHECKING:
    from vectable.images.vision import VisionLearner


@dataclass(frozen=True)
class ImageTables:
    """The class of photographs, as JSON values; made by `load_answers`.

    It never changes. Threads may share it: their photographs are classified one call after
    the other, each on all cores.

    Attributes:
        learner: what classifies.
        version: twelve hexadecimal digits that tell this folder from any other.
    """

    learner: "VisionLearner"
    version: str
    _one_at_a_time: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the probabilities."""
        return self.learner.classes

    def picture(self, content: bytes, called: str, most_pixels: int) -> Picture:
        """A photograph for `classify` from the bytes of an image file, decoded at the size that the net takes.

        Args:
            called: what messages call it.
            most_pixels: refused beyond.

        Raises:
            DataError: not an image, cut short, damaged or too large.
        """
        return decode_image(content, self.learner.recipe.size, called=called, most_pixels=most_pixels)

    def classify(self, photographs: Sequence[Any]) -> dict[str, Any]:
        """The likeliest class of each photograph, and the probability of every class.

        Args:
            photographs: paths, Pillow images, or arrays of bytes, (height, width, 3).

        Returns:
            ``{"predictions": [class, ...], "probabilities": [[...], ...], "notes": []}``, in the order of `classes`.

        Raises:
            VectableError: not a list.
            DataError: a file that cannot be read, by name.
        """
        require(
            isinstance(photographs, list | tuple),
            f"photographs must be a list of paths, Pillow images or arrays; got a {type(photographs).__name__}.",
        )
        if not photographs:
            return {"predictions": [], "probabilities": [], "notes": []}
        with self._one_at_a_time:
            shares = self.learner.predict_proba(list(photographs))
        names = [self.classes[at] for at in shares.argmax(axis=1)]
        return {"predictions": names, "probabilities": shares.tolist(), "notes": []}
