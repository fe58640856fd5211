"""Sorting by small whole numbers: a place for each, in one pass."""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
# mypy: disable-error-code="import-untyped"

from numba import njit

from vectable.factorising.kernels.signatures import array, f4, i4, i8, read_only


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


@njit(nogil=True, error_model="numpy", boundscheck=False)
def transpose(starts, columns, values, next_place, rows, placed):
    """Write the entries of a matrix by column, those of a column in the order of the rows.

    Args:
        starts, columns, values: row r holds ``columns[j]`` with ``values[j]``, starts[r] <= j < starts[r + 1].
        next_place: where the entries of each column begin, (columns,), written over.
        rows, placed: row and value of each entry, (n,) int32 and float32, written to.
    """
    for row in range(starts.shape[0] - 1):
        for at in range(starts[row], starts[row + 1]):
            column = columns[at]
            to = next_place[column]
            rows[to], placed[to] = row, values[at]
            next_place[column] = to + 1


SIGNATURES = {
    "place": (read_only(i4), array(i8), array(i8)),
    "transpose": (read_only(i8), read_only(i4), read_only(f4), array(i8), array(i4), array(f4)),
}
