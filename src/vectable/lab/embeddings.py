"""One-hot times matrix is array lookup: an embedding is a shortcut for an affine layer without bias."""

import numpy as np

from vectable.lab.arrays import Array, Codes


def one_hot(codes: Codes, n: int) -> Array:
    """A row a code, (rows, n): 1 in the column of the code, 0 elsewhere.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.one_hot(np.array([2, 0]), 3).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    hot = np.zeros((len(codes), n))
    hot[np.arange(len(codes)), codes] = 1.0
    return hot


def one_hot_product(codes: Codes, matrix: Array) -> Array:
    """`one_hot(codes) @ matrix`, (rows, width): the long way to the rows of the matrix.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.one_hot_product(np.array([1, 0]), np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
        [[3.0, 4.0], [1.0, 2.0]]
    """
    return one_hot(codes, len(matrix)) @ matrix


def lookup(codes: Codes, matrix: Array) -> Array:
    """The rows of the matrix at the codes, (rows, width): the same, without the multiplications by 0.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.lookup(np.array([1, 0]), np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
        [[3.0, 4.0], [1.0, 2.0]]
    """
    return matrix[codes]


def lookup_gradient(codes: Codes, matrix: Array, gradient: Array) -> Array:
    """Gradient by the matrix: each row's gradient added where the row came from; rows not looked up get 0.

    Examples:
        >>> import numpy as np
        >>> from vectable import lab
        >>> lab.lookup_gradient(np.array([1, 1]), np.zeros((2, 1)), np.ones((2, 1))).tolist()
        [[0.0], [2.0]]
    """
    by_matrix = np.zeros_like(matrix)
    np.add.at(by_matrix, codes, gradient)
    return by_matrix
