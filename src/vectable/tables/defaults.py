"""Defaults that the learner, the estimators and the commands of tables share; each is changed here alone."""

WEIGHT_DECAY = 0.01
"""Of a net that learns a table, by Python or by command."""

ESTIMATOR_WEIGHT_DECAY = 0.3
"""Of `TabularClassifier` and `TabularRegressor`, which are often handed few rows and none to stop by."""

FACTORISATION_WEIGHT_DECAY = 0.1
"""Of a factorization machine: as for ratings, all its parameters are vectors and biases of categories."""
