"""Sorting by small whole numbers: a place for each, in one pass."""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

from numba import njit

from vectable.factorising.kernels.signatures import array, i4, i8, read_only


@njit(nogil=True, error_model="numpy", boundscheck=False)
def place(keys, next_place, order):
    """Write to `order` the places of `keys` sorted by key, equal keys in the order they come in.

    Args:
        keys: (n,) int32.
        next_place: where the group of each key begins, (keys,), written over.
        order: (n,) int64, written to.
    """
    for at in range(keys.shape[0]):
        key = keys[at]
        order[next_place[key]] = at
        next_place[key] += 1


SIGNATURES = {"place": (read_only(i4), array(i8), array(i8))}
