"""Which interactions train, which validate and which test. Pure functions from users and times to parts.

A part is a number for each row, which come in the order of time: 0 trains, 1 validates, 2 tests; and with the split by
users 3 and 4 for what is known of the validating and the testing users.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify
from vectable.errors import UnknownNameError, is_whole, quote_some, require

Split = Literal["last", "random", "time", "users"]
SPLITS = ("last", "random", "time", "users")
TRAIN, VALID, TEST, VALID_KNOWN, TEST_KNOWN = range(5)
FOLDED_IN = 0.8  # share of a held-out user's items that are known, as in Liang et al. 2018
HELD_OUT_PCT = 0.1  # of rows or users, by default; with the split "last" all users
Parts = NDArray[np.int8]
Users = NDArray[np.int64]


def check_shares(valid_pct: float, test_pct: float, of_users: bool) -> None:
    """Raise a sentence unless these shares can be held out."""
    for name, share in (("valid_pct", valid_pct), ("test_pct", test_pct)):
        usable = isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 1
        require(usable, f"{name} must be a share from 0 to 1; got {share!r}.")
    require(
        of_users or valid_pct + test_pct < 1,
        f"valid_pct and test_pct hold out {valid_pct + test_pct:g} of everything: something must be left to train on.",
    )


def last_split(user: NDArray[np.int32], n_users: int, validates: Users, tests: Users) -> Parts:
    """The last interaction of each testing user tests, and the one before it of each validating user validates.

    A user keeps at least one interaction for training; one with two of them tests and does not validate.

    Args:
        user: of each row, in the order of time.
        validates, tests: numbers of the users who do.
    """
    parts = np.zeros(len(user), dtype=np.int8)
    order = np.argsort(user, kind="stable")
    ends = np.cumsum(np.bincount(user, minlength=n_users))
    left = np.bincount(user, minlength=n_users)
    for part, users in ((TEST, tests), (VALID, validates)):
        users = users[left[users] >= 2]
        parts[order[ends[users] - 1]] = part
        ends[users] -= 1
        left[users] -= 1
    return parts


def random_parts(n_rows: int, valid_pct: float, test_pct: float, seed: int) -> Parts:
    """A random share of the rows tests, another validates."""
    shuffled = np.random.default_rng(seed).permutation(n_rows)
    return _latest(shuffled, valid_pct, test_pct)


def time_parts(n_rows: int, valid_pct: float, test_pct: float) -> Parts:
    """The latest share of the rows, which are in the order of time, tests, and the share before it validates."""
    return _latest(np.arange(n_rows), valid_pct, test_pct)


def _latest(order: NDArray[np.int64], valid_pct: float, test_pct: float) -> Parts:
    n = len(order)
    n_test = min(int(n * test_pct), max(n - 1, 0))
    n_valid = min(int(n * valid_pct), max(n - 1 - n_test, 0))
    parts = np.zeros(n, dtype=np.int8)
    parts[order[n - n_test :]] = TEST
    parts[order[n - n_test - n_valid : n - n_test]] = VALID
    return parts


def user_parts(user: NDArray[np.int32], n_users: int, validates: Users, tests: Users, seed: int) -> Parts:
    """Whole users are held out; of each a random fifth of the items, at least one, is to be found.

    A user with a single interaction cannot be held out and trains.
    """
    rng = np.random.default_rng(seed)
    parts = np.zeros(len(user), dtype=np.int8)
    order = np.argsort(user, kind="stable")
    starts = np.append(0, np.cumsum(np.bincount(user, minlength=n_users)))
    for users, hidden, known in ((validates, VALID, VALID_KNOWN), (tests, TEST, TEST_KNOWN)):
        for one in np.sort(users):
            rows = order[starts[one] : starts[one + 1]]
            if len(rows) < 2:
                continue
            n_hidden = max(1, round(len(rows) * (1 - FOLDED_IN)))
            parts[rows] = known
            parts[rng.permutation(rows)[:n_hidden]] = hidden
    return parts


def choose_users(n_users: int, valid_pct: float, test_pct: float, seed: int, apart: bool) -> tuple[Users, Users]:
    """Numbers of the users that validate and that test, at random.

    Args:
        apart: whether nobody does both.
    """
    shuffled = np.random.default_rng(seed).permutation(n_users)
    n_test, n_valid = round(n_users * test_pct), round(n_users * valid_pct)
    tests = shuffled[:n_test]
    validates = shuffled[n_test : n_test + n_valid] if apart else shuffled[:n_valid]
    return np.sort(validates), np.sort(tests)


@dataclass(frozen=True)
class SplitPlan:
    """How a table is split; see `InteractionsData.from_df`."""

    split: Split
    valid_pct: float | None = None
    test_pct: float | None = None
    valid_users: Iterable[Any] | None = None
    test_users: Iterable[Any] | None = None
    seed: int = 42

    def parts(self, user: NDArray[np.int32], user_ids: Categorify, user_column: str) -> Parts:
        """The part of each row, from the codes of its user, (rows,), which are in the order of time."""
        of_users = self.split in ("last", "users")
        usual = 1.0 if self.split == "last" else HELD_OUT_PCT
        valid_pct, test_pct = (usual if one is None else one for one in (self.valid_pct, self.test_pct))
        check_shares(valid_pct, test_pct, self.split == "last")
        require(is_whole(self.seed, 0), f"seed must be an integer of at least 0; got {self.seed!r}.")
        if not of_users:
            require(
                self.valid_users is None and self.test_users is None,
                f"valid_users and test_users belong to the splits 'last' and 'users', not to {self.split!r}.",
            )
            if self.split == "time":
                return time_parts(len(user), valid_pct, test_pct)
            return random_parts(len(user), valid_pct, test_pct, self.seed)
        n_users = len(user_ids)
        validates, tests = choose_users(n_users - 1, valid_pct, test_pct, self.seed, apart=self.split == "users")
        validates, tests = (
            chosen + 1 if names is None else _codes_of_users(names, user_ids, user_column)
            for chosen, names in ((validates, self.valid_users), (tests, self.test_users))
        )
        if self.split == "last":
            return last_split(user, n_users, validates, tests)
        require(not np.intersect1d(validates, tests).size, "With split='users' nobody both validates and tests.")
        return user_parts(user, n_users, validates, tests, self.seed)


def _codes_of_users(names: Iterable[Any], user_ids: Categorify, column: str) -> Users:
    listed = list(names)
    codes = user_ids.encode(listed)
    unknown = [name for name, code in zip(listed, codes, strict=True) if code == 0]
    if unknown:
        raise UnknownNameError(f"{quote_some(unknown, 3)} are named to be held out and are not in column {column!r}.")
    return np.unique(codes).astype(np.int64)
