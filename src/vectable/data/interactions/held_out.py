"""What is held out of interactions: some users, what is known of them, and what is to be found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.histories import Histories


@dataclass(frozen=True)
class HeldOut:
    """Users whose lists are compared with what they met next, or besides.

    Attributes:
        users: codes, (users,) int32.
        inputs: what a model may know of each.
        targets: what is to be found of each: items that training showed.
        unseen: held-out interactions that nobody can find, since training did not show their item.
    """

    users: NDArray[np.int32]
    inputs: Histories
    targets: Histories
    unseen: int = 0

    def __len__(self) -> int:
        """Number of users."""
        return len(self.users)

    def take(self, which: NDArray[np.int64]) -> "HeldOut":
        """The users of these numbers."""
        return HeldOut(self.users[which], self.inputs.take(which), self.targets.take(which), self.unseen)
